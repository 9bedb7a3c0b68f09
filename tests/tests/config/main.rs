//! Promise 10 and the configuration: options, then the environment, then defaults. The environment is a
//! child process's.

mod mistakes;

use std::io::Read as _;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use inngest_core::testing::EventApi;
use inngest_core::{Client, ConfigError, EventKey, RequestError, RetryPolicy};
use inngest_tests::ItemViewed;

/// What a client built in this environment says of itself, or why there is none.
fn probe(environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_config-probe"));
    command.env_clear().envs(environment.iter().copied());
    let output = command.output().expect("the probe runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("Unicode")
}

fn built_for(environment: &[(&str, &str)], url: &str) {
    let said = probe(environment);
    assert!(said.contains(&format!("base_url: \"{url}\"")), "{environment:?}: {said}");
}

fn refused(environment: &[(&str, &str)], why: &str) {
    let said = probe(environment);
    assert!(said.starts_with("config error: "), "{environment:?}: {said}");
    assert!(said.contains(why), "{environment:?}: {said}");
}

const KEY: (&str, &str) = ("INNGEST_EVENT_KEY", "a-secret-key");

#[test]
fn inngest_dev_says_yes_or_no_or_where() {
    for off in ["", "0", "false", "no", "off", "False", "OFF"] {
        built_for(&[KEY, ("INNGEST_DEV", off)], "https://inn.gs/");
        refused(&[("INNGEST_DEV", off)], "INNGEST_EVENT_KEY");
    }
    built_for(&[KEY], "https://inn.gs/");
    for on in ["1", "true", "yes", "on", "TRUE"] {
        built_for(&[("INNGEST_DEV", on)], "http://127.0.0.1:8288/");
    }
    built_for(&[("INNGEST_DEV", "http://localhost:9999")], "http://localhost:9999/");
    built_for(&[("INNGEST_DEV", "https://dev.example/path")], "https://dev.example/path");
    for neither in ["ture", "2", "localhost:8288", " 1"] {
        refused(&[KEY, ("INNGEST_DEV", neither)], &format!("INNGEST_DEV is `{neither}`"));
    }
}

#[test]
fn base_urls_have_an_order() {
    let first = ("INNGEST_EVENT_API_BASE_URL", "http://first.example");
    let second = ("INNGEST_BASE_URL", "http://second.example");
    let third = ("INNGEST_DEV", "http://third.example");
    built_for(&[KEY, first, second, third], "http://first.example/");
    built_for(&[KEY, second, third], "http://second.example/");
    built_for(&[KEY, third], "http://third.example/");
    built_for(&[KEY, ("INNGEST_BASE_URL", ""), third], "http://third.example/");
}

#[test]
fn cloud_mode_needs_a_key_and_dev_mode_does_without() {
    let cloud = Client::builder().no_env().build();
    assert!(matches!(cloud, Err(ConfigError::MissingKey)));
    Client::builder().no_env().dev(true).build().expect("dev mode");
    refused(&[("INNGEST_EVENT_KEY", "")], "no event key");
}

#[tokio::test]
async fn requests_say_who_sends_them_and_to_which_environment() {
    let api = EventApi::start().await;
    let version = env!("CARGO_PKG_VERSION");
    let sdk = format!("inngest-rust-events:v{version}");

    api.client().send(&ItemViewed::number(1)).await.expect("an id");
    let builder = Client::builder().no_env().dev(true).base_url(format!("{}/inner/", api.url()));
    let client = builder.event_key("a-secret-key").env("branch/x").app_name("storefront").build();
    // The path is kept; the server has no such page, and says so in HTML.
    client.expect("a client").send(&ItemViewed::number(1)).await.expect_err("no such path");

    let requests = api.requests();
    let header = |at: usize, name: &str| requests[at].header(name).map(str::to_owned);
    assert_eq!(requests[0].path, "/e/NO_EVENT_KEY_SET");
    assert_eq!(header(0, "content-type").as_deref(), Some("application/json"));
    assert_eq!(header(0, "user-agent"), Some(sdk.clone()));
    assert_eq!(header(0, "x-inngest-sdk"), Some(sdk.clone()));
    assert_eq!(header(0, "x-inngest-env"), None);
    assert_eq!(header(0, "content-encoding"), None);
    assert!(header(0, "x-inngest-event-id-seed").is_some());
    assert_eq!(requests[1].path, "/inner/e/a-secret-key");
    assert_eq!(header(1, "user-agent"), Some(format!("{sdk} (storefront)")));
    assert_eq!(header(1, "x-inngest-sdk"), Some(sdk));
    assert_eq!(header(1, "x-inngest-env").as_deref(), Some("branch/x"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_reaches_the_wire() {
    let api = EventApi::start().await;
    let said = probe(&[
        ("INNGEST_DEV", api.url()),
        ("INNGEST_EVENT_KEY", "from-the-environment"),
        ("INNGEST_ENV", "staging"),
        ("PROBE_SEND", "1"),
    ]);
    assert!(said.contains("sent: "), "{said}");
    assert!(!said.contains("from-the-environment"), "{said}");
    let requests = api.requests();
    assert_eq!(requests[0].path, "/e/from-the-environment");
    assert_eq!(requests[0].header("x-inngest-env"), Some("staging"));
}

#[test]
fn an_explicit_option_leaves_the_environment_unread() {
    let said = probe(&[("INNGEST_DEV", "ture"), KEY]);
    assert!(said.starts_with("config error"), "{said}");
    let said = probe(&[("INNGEST_DEV", "ture"), ("PROBE_DEV", "1"), KEY]);
    assert!(said.contains("127.0.0.1:8288"), "{said}");
    let said = probe(&[("INNGEST_DEV", "1"), ("PROBE_DEV", "0"), KEY]);
    assert!(said.contains("https://inn.gs/"), "{said}");
    let said =
        probe(&[("INNGEST_DEV", "ture"), ("INNGEST_EVENT_KEY", "a/b"), ("PROBE_NO_ENV", "1")]);
    assert!(said.contains("no event key"), "{said}");
}

#[test]
fn a_machine_without_certificates_is_a_config_error_for_https_alone() {
    let none = [("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/dev/null")];
    refused(&[KEY, none[0], none[1]], "CA certificates");
    built_for(&[("INNGEST_DEV", "1"), none[0], none[1]], "http://127.0.0.1:8288/");
}

/// A proxy that closes every connection, and says whom it was asked for.
struct Proxy {
    url: String,
    over: Arc<AtomicBool>,
    asked: JoinHandle<Option<String>>,
}

impl Proxy {
    fn start() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        listener.set_nonblocking(true).expect("a socket");
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let asked = std::thread::spawn(move || {
            loop {
                let last = ends.load(Ordering::SeqCst);
                if let Ok((mut connection, _)) = listener.accept() {
                    connection.set_nonblocking(false).expect("a socket");
                    let mut bytes = [0; 64];
                    let read = connection.read(&mut bytes).unwrap_or_default();
                    return Some(String::from_utf8_lossy(&bytes[..read]).into_owned());
                }
                if last {
                    return None;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Proxy { url, over, asked }
    }

    fn asked(self) -> Option<String> {
        self.over.store(true, Ordering::SeqCst);
        self.asked.join().expect("no panic")
    }
}

#[test]
fn a_proxy_from_the_environment_is_used_for_https_alone_and_never_for_loopback() {
    for (base, expected) in [
        ("https://inngest.invalid", Some("CONNECT inngest.invalid:443")),
        ("http://inngest.invalid", None),
        ("http://127.0.0.1:9", None),
        ("https://127.0.0.1:9", None),
        ("https://localhost:9", None),
        ("https://[::ffff:127.0.0.1]:9", None),
    ] {
        let proxy = Proxy::start();
        let url = proxy.url.clone();
        let said = probe(&[
            KEY,
            ("INNGEST_BASE_URL", base),
            ("HTTP_PROXY", &url),
            ("http_proxy", &url),
            ("HTTPS_PROXY", &url),
            ("https_proxy", &url),
            ("ALL_PROXY", &url),
            ("PROBE_SEND", "1"),
        ]);
        assert!(said.contains("send error"), "{said}");
        let asked = proxy.asked();
        match expected {
            Some(connect) => assert!(asked.is_some_and(|line| line.starts_with(connect)), "{base}"),
            None => assert_eq!(asked, None, "{base}"),
        }
    }
}

#[tokio::test]
async fn a_client_of_ones_own_that_follows_redirects_is_an_error() {
    let api = EventApi::start().await;
    let following = reqwest::Client::new();
    // `POST {base}/e/` answers 303, to a page that answers 200.
    let builder = Client::builder().no_env().dev(true).event_key("a-secret-key");
    let builder = builder.base_url(api.url()).http_client(following).retry(RetryPolicy::none());
    let client = builder.build().expect("a client");
    api.fail_next(inngest_core::testing::Fault::redirect("/e/"));
    let error = client.send(&ItemViewed::number(1)).await.expect_err("another URL's answer");
    let Some(RequestError::InvalidResponse { problem, .. }) = error.cause() else {
        panic!("{error:?}");
    };
    assert!(problem.contains("another URL"), "{problem}");
}

#[test]
fn a_key_never_prints() {
    let key = EventKey::new("a-secret-key");
    assert_eq!(format!("{key:?}"), "EventKey(..)");
    let builder = Client::builder().no_env().event_key(key);
    assert!(!format!("{builder:?}").contains("a-secret-key"));
    let client = builder.build().expect("a client");
    assert!(!format!("{client:?}").contains("a-secret-key"));
}
