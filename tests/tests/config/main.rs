//! Configuration: options override environment variables, which override defaults. The environment
//! variables are set for a child process.

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

/// Returns what `config-probe` prints in this environment: the client, or the error.
fn probe(environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_config-probe"));
    command.env_clear().envs(environment.iter().copied());
    let output = command.output().expect("the probe runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("Unicode")
}

fn assert_base_url(environment: &[(&str, &str)], url: &str) {
    let output = probe(environment);
    assert!(output.contains(&format!("base_url: \"{url}\"")), "{environment:?}: {output}");
}

fn assert_config_error(environment: &[(&str, &str)], why: &str) {
    let output = probe(environment);
    assert!(output.starts_with("config error: "), "{environment:?}: {output}");
    assert!(output.contains(why), "{environment:?}: {output}");
}

const KEY: (&str, &str) = ("INNGEST_EVENT_KEY", "a-secret-key");

#[test]
fn inngest_dev_is_a_flag_or_a_url() {
    for off in ["", "0", "false", "no", "off", "False", "OFF"] {
        assert_base_url(&[KEY, ("INNGEST_DEV", off)], "https://inn.gs/");
        assert_config_error(&[("INNGEST_DEV", off)], "INNGEST_EVENT_KEY");
    }
    assert_base_url(&[KEY], "https://inn.gs/");
    for on in ["1", "true", "yes", "on", "TRUE"] {
        assert_base_url(&[("INNGEST_DEV", on)], "http://127.0.0.1:8288/");
    }
    assert_base_url(&[("INNGEST_DEV", "http://localhost:9999")], "http://localhost:9999/");
    assert_base_url(&[("INNGEST_DEV", "https://dev.example/path")], "https://dev.example/path");
    for invalid in ["ture", "2", "localhost:8288", " 1"] {
        assert_config_error(
            &[KEY, ("INNGEST_DEV", invalid)],
            &format!("INNGEST_DEV is `{invalid}`"),
        );
    }
}

#[test]
fn base_url_variables_have_a_precedence() {
    let first = ("INNGEST_EVENT_API_BASE_URL", "http://first.example");
    let second = ("INNGEST_BASE_URL", "http://second.example");
    let third = ("INNGEST_DEV", "http://third.example");
    assert_base_url(&[KEY, first, second, third], "http://first.example/");
    assert_base_url(&[KEY, second, third], "http://second.example/");
    assert_base_url(&[KEY, third], "http://third.example/");
    assert_base_url(&[KEY, ("INNGEST_BASE_URL", ""), third], "http://third.example/");
}

#[test]
fn cloud_mode_requires_a_key_and_dev_mode_does_not() {
    let cloud = Client::builder().no_env().build();
    assert!(matches!(cloud, Err(ConfigError::MissingKey)));
    Client::builder().no_env().dev(true).build().expect("dev mode");
    assert_config_error(&[("INNGEST_EVENT_KEY", "")], "no event key");
}

#[tokio::test]
async fn requests_carry_the_sdk_the_app_name_and_the_environment() {
    let api = EventApi::start().await;
    let version = env!("CARGO_PKG_VERSION");
    let sdk = format!("inngest-rust-events:v{version}");

    api.client().send(ItemViewed::number(1)).await.expect("an id");
    let builder = Client::builder().no_env().dev(true).base_url(format!("{}/inner/", api.url()));
    let client = builder.event_key("a-secret-key").env("branch/x").app_name("storefront").build();
    // The path of the base URL is kept. The server has no such page, so it returns HTML.
    client.expect("a client").send(ItemViewed::number(1)).await.expect_err("no such path");

    let requests = api.requests();
    let header = |index: usize, name: &str| requests[index].header(name).map(str::to_owned);
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
async fn environment_variables_reach_the_request() {
    let api = EventApi::start().await;
    let output = probe(&[
        ("INNGEST_DEV", api.url()),
        ("INNGEST_EVENT_KEY", "from-the-environment"),
        ("INNGEST_ENV", "staging"),
        ("PROBE_SEND", "1"),
    ]);
    assert!(output.contains("sent: "), "{output}");
    assert!(!output.contains("from-the-environment"), "{output}");
    let requests = api.requests();
    assert_eq!(requests[0].path, "/e/from-the-environment");
    assert_eq!(requests[0].header("x-inngest-env"), Some("staging"));
}

#[test]
fn a_variable_is_not_read_if_its_option_is_set() {
    let output = probe(&[("INNGEST_DEV", "ture"), KEY]);
    assert!(output.starts_with("config error"), "{output}");
    let output = probe(&[("INNGEST_DEV", "ture"), ("PROBE_DEV", "1"), KEY]);
    assert!(output.contains("127.0.0.1:8288"), "{output}");
    let output = probe(&[("INNGEST_DEV", "1"), ("PROBE_DEV", "0"), KEY]);
    assert!(output.contains("https://inn.gs/"), "{output}");
    let output =
        probe(&[("INNGEST_DEV", "ture"), ("INNGEST_EVENT_KEY", "a/b"), ("PROBE_NO_ENV", "1")]);
    assert!(output.contains("no event key"), "{output}");
}

#[test]
fn missing_ca_certificates_are_an_error_only_for_https() {
    let none = [("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/dev/null")];
    assert_config_error(&[KEY, none[0], none[1]], "CA certificates");
    assert_base_url(&[("INNGEST_DEV", "1"), none[0], none[1]], "http://127.0.0.1:8288/");
}

/// A proxy that reads the beginning of one request and closes the connection.
struct Proxy {
    url: String,
    stop: Arc<AtomicBool>,
    request: JoinHandle<Option<String>>,
}

impl Proxy {
    fn start() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        listener.set_nonblocking(true).expect("a socket");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let request = std::thread::spawn(move || {
            loop {
                let is_last = stopped.load(Ordering::SeqCst);
                if let Ok((mut connection, _)) = listener.accept() {
                    connection.set_nonblocking(false).expect("a socket");
                    let mut bytes = [0; 64];
                    let read = connection.read(&mut bytes).unwrap_or_default();
                    return Some(String::from_utf8_lossy(&bytes[..read]).into_owned());
                }
                if is_last {
                    return None;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Proxy { url, stop, request }
    }

    /// Stops the proxy, and returns what it has read.
    fn request(self) -> Option<String> {
        self.stop.store(true, Ordering::SeqCst);
        self.request.join().expect("no panic")
    }
}

#[test]
fn a_proxy_of_the_environment_is_used_only_for_https_and_never_for_loopback() {
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
        let output = probe(&[
            KEY,
            ("INNGEST_BASE_URL", base),
            ("HTTP_PROXY", &url),
            ("http_proxy", &url),
            ("HTTPS_PROXY", &url),
            ("https_proxy", &url),
            ("ALL_PROXY", &url),
            ("PROBE_SEND", "1"),
        ]);
        assert!(output.contains("send error"), "{output}");
        let request = proxy.request();
        match expected {
            Some(connect) => {
                assert!(request.is_some_and(|line| line.starts_with(connect)), "{base}");
            }
            None => assert_eq!(request, None, "{base}"),
        }
    }
}

#[tokio::test]
async fn a_response_that_a_custom_http_client_was_redirected_to_is_an_error() {
    let api = EventApi::start().await;
    let following = reqwest::Client::new();
    // `POST {base}/e/` is redirected with 303 to a page that returns 200.
    let builder = Client::builder().no_env().dev(true).event_key("a-secret-key");
    let builder = builder.base_url(api.url()).http_client(following).retry(RetryPolicy::none());
    let client = builder.build().expect("a client");
    api.fail_next(inngest_core::testing::Fault::redirect("/e/"));
    let error = client.send(ItemViewed::number(1)).await.expect_err("a response of another URL");
    let Some(RequestError::InvalidResponse { problem, .. }) = error.cause() else {
        panic!("{error:?}");
    };
    assert!(problem.contains("another URL"), "{problem}");
}

#[test]
fn debug_never_shows_the_key() {
    let key = EventKey::new("a-secret-key");
    assert_eq!(format!("{key:?}"), "EventKey(..)");
    let builder = Client::builder().no_env().event_key(key);
    assert!(!format!("{builder:?}").contains("a-secret-key"));
    let client = builder.build().expect("a client");
    assert!(!format!("{client:?}").contains("a-secret-key"));
}
