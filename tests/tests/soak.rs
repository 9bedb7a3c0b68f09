//! A long run of a publisher over a real socket, with a server that misbehaves: no event is lost, none runs
//! twice, and memory stays bounded. A million events take a few minutes:
//! `SOAK_EVENTS=1000000 cargo test --release -p inngest-tests --test soak -- --nocapture`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use inngest_core::testing::{EventApi, Fault};
use inngest_core::{Client, RetryPolicy};
use inngest_tests::ItemViewed;

const QUEUED_EVENTS: usize = 10_000;

/// Returns a random transient fault for one request in ten.
fn fault() -> Option<Fault> {
    if fastrand::u8(..10) > 0 {
        return None;
    }
    Some(match fastrand::u8(..10) {
        0 => Fault::drop_before_reading(),
        1 => Fault::drop_before_answer(),
        2 => Fault::drop_within_answer(),
        3 => Fault::status(503),
        4 => Fault::status(502).after_accepting(),
        5 => Fault::status(429).retry_after("0"),
        6 => Fault::hang(),
        7 => Fault::hang().after_accepting(),
        8 => Fault::delay(Duration::from_millis(20)),
        _ => Fault::fail_at(fastrand::usize(..100)),
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
    api.fault_when(|_| fault());

    let builder = Client::builder().no_env().dev(true).base_url(api.url());
    let policy = RetryPolicy::default().initial_backoff(Duration::from_millis(5));
    let client =
        builder.timeout(Duration::from_millis(200)).retry(policy).build().expect("a client");
    let lost = Arc::new(AtomicUsize::new(0));
    let hook = Arc::clone(&lost);
    let publisher = client
        .publisher()
        .max_queued_events(QUEUED_EVENTS)
        .on_undelivered(move |undelivered| {
            hook.fetch_add(undelivered.events.len(), Ordering::Relaxed);
        })
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
    let report = publisher.close(Duration::from_secs(120)).await;
    let took = start.elapsed();
    api.idle().await;
    let stats = publisher.stats();
    let peak = peak_kib().map_or("unknown".to_owned(), |kib| format!("{} MiB", kib / 1024));
    println!(
        "{total} events in {took:.1?}, {} batch retries, at most {most_queued} queued, peak memory \
         {peak} including the server",
        stats.retries
    );

    let rejected = stats.failed.get("rejected").copied().unwrap_or_default();
    assert_eq!(report.delivered + report.failed, u64::from(total));
    assert!(report.undelivered.is_empty());
    // An event is rejected only if the server failed at it twice in succession.
    assert_eq!(report.failed, rejected);
    assert_eq!(lost.load(Ordering::Relaxed), 0);
    assert!(most_queued <= QUEUED_EVENTS);
    assert!(stats.retries > 0, "the faults caused retries");
    let events_that_ran = |times: u8| {
        ran.iter().filter(|count| count.load(Ordering::Relaxed) == times).count() as u64
    };
    assert_eq!(events_that_ran(1), report.delivered);
    assert_eq!(events_that_ran(0), report.failed);
}
