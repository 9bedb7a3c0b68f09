//! Nothing that can be printed or logged contains the key, which is in the URL's path, or the data of an
//! event. This is one test, since it captures the log of the whole process.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inngest_core::testing::{EventApi, Fault};
use inngest_core::{Client, RetryPolicy, SendError};
use inngest_tests::ItemViewed;

/// A text in the data of an event.
const NOTE: &str = "pr1vate-n0te";
const KEY: &str = "s3cr3t-k3y-that-never-prints";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic in a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns every form in which an error and its sources can be printed.
fn printed(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.extend([error.to_string(), format!("{error:?}"), format!("{error:#?}"), "\n".into()]);
        next = error.source();
    }
    text
}

#[tokio::test]
async fn the_key_and_the_data_are_in_no_debug_no_display_no_error_chain_and_no_trace() {
    let log = Log::default();
    let writer = log.clone();
    tracing_log::LogTracer::init().expect("the only logger");
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only subscriber");

    let api = EventApi::start().await;
    let policy = RetryPolicy::default().max_attempts(2).initial_backoff(Duration::from_millis(1));
    let builder = || {
        let builder = Client::builder().no_env().dev(true).event_key(KEY).retry(policy);
        builder.timeout(Duration::from_millis(100))
    };
    let client = builder().base_url(api.url()).build().expect("a client");
    let no_server = builder().base_url("http://127.0.0.1:1").build().expect("a client");
    let no_host = builder().base_url("http://inngest.invalid").build().expect("a client");
    let tls = builder().base_url(api.url().replace("http:", "https:")).build().expect("a client");
    let following = builder().base_url(api.url()).http_client(reqwest::Client::new());
    let following = following.build().expect("a client");
    let mut shown = format!("{client:?}{client:#?}{:?}", builder());

    let quoting = format!("Cannot POST /e/{KEY}");
    let json = format!(r#"{{"ids":[""],"status":400,"error":"{quoting}"}}"#);
    let quoted_late = format!("{}{KEY}", "x".repeat(490));
    let faults = [
        Fault::drop_before_reading(),
        Fault::drop_before_answer(),
        Fault::drop_within_answer(),
        Fault::hang(),
        Fault::html(),
        Fault::status(400).body(&quoting),
        Fault::status(400).body(&json),
        Fault::status(401).body(&quoting),
        Fault::status(403).body(&json),
        Fault::status(404).body(format!("<html>{quoting}</html>")),
        Fault::status(413).body(&quoting),
        Fault::status(418).body(&quoted_late),
        Fault::status(503).body(&quoting),
        Fault::status(429).retry_after("3600").body(&quoting),
        Fault::status(200).body(&quoting),
        Fault::redirect(&format!("/e/{KEY}/again")),
        Fault::missing_ids(1),
        Fault::answer_of_bytes(1 << 20),
    ];
    let private = ItemViewed { number: 1, note: NOTE.to_owned() };
    for fault in faults {
        api.fault_when(move |_| Some(fault.clone()));
        let error = client.send(&private).await.expect_err("a fault");
        shown.push_str(&printed(&error));
        let error = client.send_all(ItemViewed::many(3)).await.expect_err("a fault");
        shown.push_str(&printed(&error));
        for cause in error.causes() {
            shown.push_str(&printed(cause));
        }
        for (_, reason) in error.rejected() {
            shown.push_str(&printed(reason));
        }
    }
    api.clear_faults();
    client.send(ItemViewed::number(1)).await.expect("an id");
    api.fail_next(Fault::redirect(&format!("/e/{KEY}/again")));
    for client in [no_server, no_host, tls, following] {
        let sent = client.send(&private).await;
        let error: SendError = sent.expect_err("no such server");
        shown.push_str(&printed(&error));
    }

    let traced = String::from_utf8_lossy(&log.0.lock().expect("no panic in a log")).into_owned();
    // The log was captured, and the texts of the server are quoted without the key.
    assert!(traced.contains("sending to Inngest failed, retrying"), "{traced}");
    assert!(traced.contains("Inngest rejected an event"), "{traced}");
    assert!(traced.contains("TRACE") && traced.contains("DEBUG"), "{traced}");
    assert!(shown.contains("Cannot POST /e/***"), "{shown}");
    for text in [&shown, &traced] {
        let secret = |line: &&str| line.contains("s3cr3t") || line.contains(NOTE);
        let found = text.lines().find(secret);
        assert_eq!(found, None);
    }
}
