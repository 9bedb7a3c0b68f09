//! A long run of a publisher over a real socket, with a server that misbehaves: no event is lost, none gets a second
//! id, none is rejected after it was accepted, and memory stays bounded. A million events take a few minutes:
//! `SOAK_EVENTS=1000000 cargo test --release -p inngest-tests --test soak -- --nocapture`.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use inngest_core::publisher::Undelivered;
use inngest_core::testing::{EventApi, Fault};
use inngest_core::{Client, RetryPolicy};
use inngest_tests::ItemViewed;

const QUEUED_EVENTS: usize = 10_000;

/// One event in this number makes each of its requests fail while there are faults.
const POISON_EVERY: u64 = 10_000;

/// Returns a random fault for one request in ten.
fn fault() -> Option<Fault> {
    const BAD_REQUEST: &str = r#"{"error":"Bad Request"}"#;
    if fastrand::u8(..10) > 0 {
        return None;
    }
    Some(match fastrand::u8(..16) {
        0 => Fault::drop_before_reading(),
        1 => Fault::drop_before_answer(),
        2 => Fault::drop_within_answer(),
        3 => Fault::status(503),
        4 => Fault::status(502).after_accepting(),
        5 => Fault::status(429).retry_after("0"),
        6 => Fault::hang(),
        7 => Fault::hang().after_accepting(),
        8 => Fault::delay(Duration::from_millis(20)),
        9 => Fault::fail_at(fastrand::usize(..100)),
        // A failure of the server itself.
        10 => Fault::refuse("internal error"),
        // A gateway, before and after the events reached the server.
        11 => Fault::status(400).body(BAD_REQUEST),
        12 => Fault::status(400).body(BAD_REQUEST).after_accepting(),
        13 => Fault::html().after_accepting(),
        14 => Fault::missing_ids(1),
        _ => Fault::status(500).after_accepting(),
    })
}

/// Returns the peak memory of this process, if the system reports it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_run_through_faults_loses_nothing_and_runs_nothing_twice() {
    let total: u32 =
        std::env::var("SOAK_EVENTS").map_or(20_000, |value| value.parse().expect("a number"));
    let api = EventApi::start().await;
    // One counter per event, since the events that the server stores are cleared during the run.
    let ran: Arc<Vec<AtomicU8>> = Arc::new((0..total).map(|_| AtomicU8::new(0)).collect());
    let counts = Arc::clone(&ran);
    api.on::<ItemViewed>("count", move |event: inngest_core::Event<ItemViewed>| {
        counts[event.data.number as usize].fetch_add(1, Ordering::Relaxed);
        async {}
    });
    // Some events make every request fail that contains them.
    api.fault_when_event(|event| {
        let number = event.data["number"].as_u64();
        number.is_some_and(|number| number % POISON_EVERY == 7).then(|| Fault::status(500))
    });
    api.fault_when(|_| fault());

    let builder = Client::builder().no_env().dev(true).base_url(api.url());
    let policy = RetryPolicy::default().initial_backoff(Duration::from_millis(5));
    let client =
        builder.timeout(Duration::from_millis(200)).retry(policy).build().expect("a client");
    let handed_over: Arc<Mutex<Vec<Undelivered>>> = Arc::default();
    let hook = Arc::clone(&handed_over);
    let publisher = client
        .publisher()
        .max_queued_events(QUEUED_EVENTS)
        .on_undelivered(move |undelivered| hook.lock().expect("no panic").push(undelivered))
        .start();

    let start = Instant::now();
    let mut most_queued = 0;
    for number in 0..total {
        publisher.publish(ItemViewed::number(number)).await.expect("capacity");
        if number % 1_000 == 0 {
            most_queued = most_queued.max(publisher.stats().queued_events);
            api.clear();
        }
    }
    let isolated = publisher.stats().isolated_events;
    api.clear_faults();
    let report = publisher.close(Duration::from_secs(120)).await;
    let took = start.elapsed();
    // What was handed over is sent again, except for rejected events.
    let mut rejected = Vec::new();
    let handed_over = std::mem::take(&mut *handed_over.lock().expect("no panic"));
    for undelivered in handed_over {
        if undelivered.rejections.is_empty() {
            client.send_batch(&undelivered.events).await.expect("ids");
        } else {
            rejected.extend(undelivered.events.events().map(|event| number(event.json())));
        }
    }
    api.idle().await;
    let stats = publisher.stats();
    let peak = peak_kib().map_or("unknown".to_owned(), |kib| format!("{} MiB", kib / 1024));
    println!(
        "{total} events in {took:.1?}, {} batch retries, at most {most_queued} queued, {isolated} isolated at \
         the end, failed: {:?}, peak memory {peak} including the server",
        stats.retries, stats.failed
    );

    assert_eq!(report.delivered + report.failed, u64::from(total));
    assert!(report.undelivered.is_empty());
    assert!(most_queued <= QUEUED_EVENTS);
    assert!(stats.retries > 0, "the faults caused retries");
    let rejected_count = stats.failed.get("rejected").copied().unwrap_or_default();
    assert_eq!(rejected.len() as u64, rejected_count);
    for (number, count) in ran.iter().enumerate() {
        // An event with two ids would run twice, and one of two events with one id would not run.
        let expected = u8::from(!rejected.contains(&number));
        assert_eq!(count.load(Ordering::Relaxed), expected, "runs of event {number}");
    }
}

fn number(json: &str) -> usize {
    let event: serde_json::Value = serde_json::from_str(json).expect("JSON");
    event["data"]["number"].as_u64().and_then(|number| number.try_into().ok()).expect("a number")
}
