//! How a relay finds events: by polling, at once after `wake`, and in batches that fit into a request.

use std::time::Duration;

use inngest_core::outbox::{Outbox, RelayBuilder, RelayError};
use inngest_core::testing::outbox_store::{ScriptedStore, StoreCall};
use inngest_tests::{ItemViewed, Script};
use tokio::time::sleep;

use crate::{HOUR, MILLI, MINUTE, SECOND, Shop};

/// Returns the times of the claims.
fn claims(store: &ScriptedStore) -> Vec<Duration> {
    let history = store.history().into_iter();
    history.filter(|(_, call)| *call == StoreCall::Claim).map(|(at, _)| at).collect()
}

#[tokio::test(start_paused = true)]
async fn an_idle_relay_polls_at_random_times_within_the_range() {
    let (shop, _script) = Shop::scripted([]);
    let relay = shop.outbox.relay(&shop.client, shop.store.clone()).start().await.expect("a relay");
    sleep(SECOND * 10).await;
    let times = claims(&shop.store);
    let waits: Vec<Duration> =
        times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    assert!((200..=500).contains(&waits.len()), "one worker polls: {}", waits.len());
    // Tokio's timers have a resolution of 1 ms.
    let range = 20 * MILLI..=51 * MILLI;
    assert!(waits.iter().all(|wait| range.contains(wait)), "{waits:?}");
    assert!(waits.iter().max() > waits.iter().min());
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn wake_ends_the_wait_of_every_relay_of_the_outbox_and_of_its_clones() {
    let (shop, script) = Shop::scripted([]);
    let relay = shop.relay().poll(HOUR..=HOUR).start().await.expect("a relay");
    sleep(SECOND).await;
    for (number, outbox) in [(0, shop.outbox.clone()), (1, shop.outbox.clone().clone())] {
        shop.enqueue(number..number + 1);
        sleep(MINUTE).await;
        assert_eq!(script.requests().len(), number as usize, "nothing looks for it");
        outbox.wake();
        sleep(MILLI).await;
        assert_eq!(script.requests().len(), number as usize + 1);
    }
    Outbox::new().wake();
    sleep(MINUTE).await;
    let claims = claims(&shop.store).len();
    assert!(claims < 12, "an idle relay does not spin: {claims}");
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_relay_runs_on_after_the_last_outbox_is_dropped() {
    let script = Script::new([]);
    let (client, store) = (script.client(), ScriptedStore::new());
    let outbox = Outbox::for_client(&client);
    let event = outbox.prepare(ItemViewed::number(1)).expect("a valid event");
    let relay = outbox.relay(&client, store.clone()).start().await.expect("a relay");
    sleep(SECOND).await;
    drop(outbox);
    store.enqueue(&event);
    sleep(SECOND).await;
    assert_eq!(script.requests().len(), 1);
    let polls = claims(&store).len();
    assert!(polls < 150, "it polls at the same interval: {polls}");
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_limited_by_the_relay_and_by_the_client() {
    let sizes = |script: &Script| -> Vec<usize> {
        script.requests().iter().map(|request| request.numbers.len()).collect()
    };
    let (shop, script) = Shop::scripted([]);
    shop.enqueue(0..1_100);
    let relay = shop.relay().in_flight(1);
    relay.drain().await.expect("a report");
    assert_eq!(sizes(&script), [500, 500, 100], "the default");

    let script = Script::new([]);
    let shop = Shop::new(script.builder().max_request_events(3).build().expect("a client"));
    shop.enqueue(0..7);
    shop.relay().in_flight(1).batch_events(5).drain().await.expect("a report");
    assert_eq!(sizes(&script), [3, 3, 1], "the client's limit is smaller");

    let script = Script::new([]);
    let shop = Shop::new(script.client());
    shop.enqueue(0..3);
    shop.relay().in_flight(0).batch_events(0).drain().await.expect("a report");
    assert_eq!(sizes(&script), [1, 1, 1], "0 counts as 1");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_cut_at_the_largest_request_to_the_byte() {
    let event = Outbox::new().prepare(ItemViewed::number(0)).expect("a valid event");
    let bytes = event.body().len();
    // `[` and two events with a comma and `]`.
    for (max, sizes) in [(2 * bytes + 3, vec![2, 1]), (2 * bytes + 2, vec![1, 1, 1])] {
        let script = Script::new([]);
        let client = script.builder().max_request_bytes(max).build().expect("a client");
        let shop = Shop::new(client);
        shop.enqueue(0..3);
        shop.relay().in_flight(1).drain().await.expect("a report");
        let requests = script.requests();
        let sent: Vec<usize> = requests.iter().map(|request| request.numbers.len()).collect();
        assert_eq!(sent, sizes);
        assert!(requests.iter().all(|request| request.http.body().len() <= max));
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_larger_than_a_request_is_sent_alone() {
    let script = Script::new([]);
    let client = script.builder().max_request_bytes(1_000).build().expect("a client");
    let shop = Shop::new(client);
    shop.enqueue(0..1);
    let note = "x".repeat(2_000);
    let large = shop.outbox.prepare(ItemViewed { number: 1, note }).expect("a valid event");
    shop.store.enqueue(&large);
    shop.enqueue(2..4);
    shop.relay().in_flight(1).drain().await.expect("a report");
    let sent: Vec<Vec<u64>> = script.requests().into_iter().map(|it| it.numbers).collect();
    assert_eq!(sent, [vec![0], vec![1], vec![2, 3]]);
}

#[tokio::test(start_paused = true)]
async fn options_out_of_range_are_an_error_that_names_the_option() {
    type Change = fn(RelayBuilder<ScriptedStore>) -> RelayBuilder<ScriptedStore>;
    let cases: [(&str, Change); 11] = [
        ("lease", |relay| relay.lease(MILLI * 999)),
        ("lease", |relay| relay.lease(HOUR + MILLI)),
        ("poll", |relay| relay.poll(Duration::ZERO..=SECOND)),
        ("poll", |relay| relay.poll(SECOND * 2..=SECOND)),
        ("in_flight", |relay| relay.in_flight(1_001)),
        ("dead_letter_after", |relay| relay.dead_letter_after(Duration::ZERO)),
        ("dead_letter_after", |relay| relay.dead_letter_after(HOUR * 24)),
        ("", |relay| relay.in_flight(1_000)),
        ("", |relay| relay.lease(SECOND)),
        ("", |relay| relay.lease(HOUR)),
        ("", |relay| relay.dead_letter_after(HOUR * 23 + MINUTE * 59)),
    ];
    for (expected, change) in cases {
        let (shop, _script) = Shop::scripted([]);
        let result = change(shop.relay()).drain().await;
        match result {
            Ok(_) => assert_eq!(expected, ""),
            Err(RelayError::Config { option, .. }) => {
                assert_eq!(option, expected);
                assert_eq!(shop.store.history(), [], "the database is not used");
                assert!(change(shop.relay()).start().await.is_err());
            }
            Err(error) => panic!("{error}"),
        }
    }
}
