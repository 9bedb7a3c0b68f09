//! The memory that a publisher holds, measured at the allocator.

use std::time::Duration;

use bytes::Bytes;
use inngest_core::Client;
use inngest_tests::ItemViewed;

const MAX_QUEUED_BYTES: usize = 1024 * 1024;

/// The server stops at the first event of each batch, and cannot process that event alone either.
fn client() -> Client {
    let builder = Client::builder().no_env().event_key("a-secret-key");
    let transport = |request: http::Request<Bytes>| async move {
        let batch = request.body().starts_with(b"[");
        let has_bad = request.body().windows(10).any(|text| text == b"\"number\":0");
        let (status, body) = match (batch, has_bad) {
            (true, true) => (400, r#"{"ids":[""],"status":400,"error":"bad"}"#.to_owned()),
            (false, true) => (503, "{}".to_owned()),
            (_, false) => {
                let events: serde_json::Value =
                    serde_json::from_slice(request.body()).expect("JSON");
                let count = events.as_array().map_or(1, Vec::len);
                let ids: Vec<String> = (0..count).map(|index| format!("id-{index}")).collect();
                (200, serde_json::json!({ "ids": ids, "status": 200 }).to_string())
            }
        };
        let mut response = http::Response::new(Bytes::from(body));
        *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
        Ok(response)
    };
    builder.transport(transport).build().expect("a client")
}

#[test]
fn a_kept_event_does_not_keep_its_batch_in_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let mut publisher = None;
    let allocated = allocation_counter::measure(|| {
        runtime.block_on(async {
            let publisher = publisher.insert(
                client()
                    .publisher()
                    .max_batch_events(21)
                    .max_queued_bytes(MAX_QUEUED_BYTES)
                    .start(),
            );
            for _ in 0..60 {
                let small = std::iter::once(ItemViewed::number(0));
                let large = (1..=20).map(|number| ItemViewed { number, note: "x".repeat(10_000) });
                let results = publisher.publish_all(small.chain(large)).await;
                drop(results.into_receipts().expect("capacity"));
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            tokio::time::sleep(Duration::from_secs(600)).await;
        });
    });
    let publisher = publisher.expect("a publisher");
    let stats = publisher.stats();
    assert_eq!((stats.delivered, stats.queued_events), (1_200, 60));
    // 60 batches of 200 kB were sent. Only the small events are left.
    let left = allocated.bytes_current;
    assert!(left < 600_000, "{left} bytes are held for {} bytes of events", stats.queued_bytes);
    let max = usize::try_from(allocated.bytes_max).expect("fits");
    assert!(max < 3 * MAX_QUEUED_BYTES, "{max} bytes at most");
    drop(runtime.block_on(publisher.close(Duration::from_millis(1))));
}
