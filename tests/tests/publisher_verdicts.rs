//! What a publisher does with bad events, refused names and failing batches, on a paused clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use inngest_core::publisher::{
    DeliveryError, PublishError, Publisher, PublisherBuilder, Undelivered,
};
use inngest_core::testing::TransportFault;
use inngest_core::{Batch, Client, ClientBuilder, Rejection, RequestError, SendOutcome};
use inngest_tests::{CheckoutCompleted, ItemViewed, Script, Step, batch_of};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// A server whose response depends on the events of a request.
#[derive(Clone, Default)]
struct Server {
    requests: Arc<Mutex<Vec<SeenRequest>>>,
}

#[derive(Clone, Debug)]
struct SeenRequest {
    at: Instant,
    names: Vec<String>,
    numbers: Vec<u64>,
    headers: http::HeaderMap,
}

impl SeenRequest {
    fn has(&self, number: u64) -> bool {
        self.numbers.contains(&number)
    }

    fn has_name(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

enum Reply {
    Accept,
    Status(u16),
    /// A 400 that stops at the event with this index.
    StopAt(usize),
    /// No response, ever.
    Hang,
    NoConnection,
}

impl Server {
    fn builder(
        &self,
        reply: impl Fn(&SeenRequest) -> Reply + Send + Sync + 'static,
    ) -> ClientBuilder {
        let (requests, reply) = (Arc::clone(&self.requests), Arc::new(reply));
        Client::builder().no_env().event_key("a-secret-key").transport(
            move |request: http::Request<Bytes>| {
                let body: serde_json::Value = serde_json::from_slice(request.body()).expect("JSON");
                let events = body.as_array().cloned().unwrap_or_else(|| vec![body]);
                let name = |event: &serde_json::Value| event["name"].as_str().map(str::to_owned);
                let seen = SeenRequest {
                    at: Instant::now(),
                    names: events.iter().filter_map(name).collect(),
                    numbers: events.iter().filter_map(|it| it["data"]["number"].as_u64()).collect(),
                    headers: request.headers().clone(),
                };
                let reply = reply(&seen);
                let first = requests.lock().expect("no panic").len();
                requests.lock().expect("no panic").push(seen);
                let ids =
                    move |count: usize| (0..count).map(|it| format!("id-{first}-{it}")).collect();
                async move {
                    let (status, ids): (u16, Vec<String>) = match reply {
                        Reply::Accept => (200, ids(events.len())),
                        Reply::StopAt(0) => (400, vec![String::new()]),
                        Reply::StopAt(index) => (400, ids(index)),
                        Reply::Status(status) => (status, vec![]),
                        Reply::Hang => return std::future::pending().await,
                        Reply::NoConnection => return Err(TransportFault::Connect),
                    };
                    let body = match status {
                        200 => serde_json::json!({ "ids": ids, "status": 200 }),
                        400 => serde_json::json!({ "ids": ids, "status": 400, "error": "bad" }),
                        _ => serde_json::json!({ "status": status, "error": "no" }),
                    };
                    let mut response = http::Response::new(Bytes::from(body.to_string()));
                    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
                    Ok(response)
                }
            },
        )
    }

    fn client(&self, reply: impl Fn(&SeenRequest) -> Reply + Send + Sync + 'static) -> Client {
        self.builder(reply).build().expect("a client")
    }

    fn requests(&self) -> Vec<SeenRequest> {
        self.requests.lock().expect("no panic").clone()
    }
}

async fn publish(publisher: &Publisher, numbers: impl IntoIterator<Item = u32>) {
    for receipt in publisher.publish_all(numbers.into_iter().map(ItemViewed::number)).await {
        drop(receipt.expect("capacity"));
    }
}

type Kept = Arc<Mutex<Vec<Undelivered>>>;

fn keeping(builder: PublisherBuilder) -> (PublisherBuilder, Kept) {
    let kept = Kept::default();
    let hook = Arc::clone(&kept);
    let builder = builder.on_undelivered(move |it| hook.lock().expect("no panic").push(it));
    (builder, kept)
}

fn numbers(batch: &Batch) -> Vec<u64> {
    let number = |json: &str| {
        let event: serde_json::Value = serde_json::from_str(json).expect("JSON");
        event["data"]["number"].as_u64()
    };
    batch.events().filter_map(|event| number(event.json())).collect()
}

/// One event makes every request fail that contains it.
fn poison(number: u64, status: u16) -> impl Fn(&SeenRequest) -> Reply {
    move |request| if request.has(number) { Reply::Status(status) } else { Reply::Accept }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_fails_while_others_succeed_is_halved_until_the_culprit_is_alone() {
    let server = Server::default();
    let client = server.client(poison(7, 500));
    let publisher = client.publisher().max_batch_events(20).start();
    publish(&publisher, 0..20).await;
    for round in 0..10 {
        tokio::time::sleep(SECOND).await;
        publish(&publisher, [100 + round]).await;
    }
    tokio::time::sleep(20 * SECOND).await;
    let stats = publisher.stats();
    assert_eq!((stats.delivered, stats.queued_events, stats.isolated_events), (29, 1, 1));
    // The poison event is tried alone, with growing waits, and the others are not slowed.
    let alone: Vec<_> = server.requests().into_iter().filter(|it| it.numbers == [7]).collect();
    assert!(alone.len() >= 3, "{alone:?}");
    let started = Instant::now();
    publish(&publisher, 200..300).await;
    while publisher.stats().delivered < 129 {
        tokio::time::sleep(MILLI).await;
    }
    assert!(started.elapsed() < 20 * MILLI, "{:?}", started.elapsed());

    let report = publisher.close(SECOND).await;
    assert_eq!(numbers(&report.undelivered), [7]);
}

#[tokio::test(start_paused = true)]
async fn the_only_batch_that_times_out_is_halved_and_an_outage_stays_calm() {
    let server = Server::default();
    let client = server.client(|request| if request.has(3) { Reply::Hang } else { Reply::Accept });
    let publisher = client.publisher().start();
    publish(&publisher, 0..8).await;
    tokio::time::sleep(200 * SECOND).await;
    assert_eq!(publisher.stats().delivered, 7);
    drop(publisher.close(MILLI).await);

    // In an outage, the halves of the only batch are not halved again.
    let server = Server::default();
    let publisher = server.client(|_| Reply::Status(503)).publisher().start();
    publish(&publisher, 0..8).await;
    tokio::time::sleep(600 * SECOND).await;
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.numbers.len() >= 4), "{requests:?}");
    assert!(requests.len() < 80, "{} requests in ten minutes", requests.len());
    drop(publisher.close(MILLI).await);
}

#[tokio::test(start_paused = true)]
async fn an_event_at_which_the_server_stops_is_rejected_after_three_retries_alone() {
    let server = Server::default();
    let client = server.client(|request| match request.numbers.iter().position(|it| *it == 5) {
        Some(index) => Reply::StopAt(index),
        None => Reply::Accept,
    });
    let (builder, kept) = keeping(client.publisher());
    let publisher = builder.start();
    let receipts = publisher.publish_all((0..9).map(ItemViewed::number)).await;
    let receipts = receipts.into_receipts().expect("capacity");
    let error = receipts[5].delivered().await.expect_err("a rejection");
    let DeliveryError::Rejected(reason) = error else { panic!("{error:?}") };
    assert!(reason.to_string().ends_with("(400): bad"), "{reason}");
    publisher.flush(SECOND).await.expect("all completed");
    assert_eq!(publisher.stats().delivered, 8);
    assert_eq!(publisher.stats().failed["rejected"], 1);
    let alone: Vec<_> = server.requests().into_iter().filter(|it| it.numbers == [5]).collect();
    assert_eq!(alone.len(), 3);
    // Its data and the reason reach the hook.
    let kept = kept.lock().expect("no panic");
    let [undelivered] = &**kept else { panic!("{kept:?}") };
    assert_eq!(numbers(&undelivered.events), [5]);
    assert!(undelivered.cause.is_none());
    let [(0, reason)] = &*undelivered.rejections else { panic!("{undelivered:?}") };
    assert!(matches!(**reason, Rejection::Server { status: 400, .. }));
}

#[tokio::test(start_paused = true)]
async fn events_that_were_set_aside_hold_no_slot_and_do_not_slow_the_pace() {
    let server = Server::default();
    let client = server.client(|request| match request.numbers.iter().position(|it| *it < 50) {
        Some(index) => Reply::StopAt(index),
        None => Reply::Accept,
    });
    let publisher = client.publisher().max_in_flight(1).max_batch_events(200).start();
    publish(&publisher, 0..100).await;
    let started = Instant::now();
    while publisher.stats().delivered < 50 {
        tokio::time::sleep(MILLI).await;
    }
    // Only the first few of them are followed by a wait.
    assert!(started.elapsed() < SECOND, "{:?}", started.elapsed());
    publisher.flush(10 * SECOND).await.expect("all completed");
    assert_eq!(publisher.stats().failed["rejected"], 50);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_400_for_its_own_failure_costs_no_event() {
    // An event has four attempts, which take at least 350 ms. A longer failure costs the first events at most.
    for (failure, rejected) in [(300 * MILLI, 0), (600 * MILLI, 3)] {
        let server = Server::default();
        let start = Instant::now();
        let client = server.client(move |request| {
            if request.at - start < failure { Reply::StopAt(0) } else { Reply::Accept }
        });
        let publisher = client.publisher().start();
        publish(&publisher, 0..100).await;
        publisher.flush(30 * SECOND).await.expect("all completed");
        let delivered = publisher.stats().delivered;
        assert!(delivered >= 100 - rejected, "{delivered} delivered");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_in_doubt_fails_instead_of_being_rejected() {
    let server = Server::default();
    let start = Instant::now();
    // The response is lost, and afterwards the server refuses the event.
    let client =
        server.client(
            move |request| {
                if request.at == start { Reply::Status(500) } else { Reply::StopAt(0) }
            },
        );
    let (builder, kept) = keeping(client.publisher());
    let publisher = builder.start();
    let receipt = publisher.publish(ItemViewed::number(1)).await.expect("capacity");
    let error = receipt.delivered().await.expect_err("not delivered");
    let DeliveryError::Failed(cause) = error else { panic!("{error:?}") };
    assert!(matches!(*cause, RequestError::InDoubt { status: 400, .. }), "{cause}");
    assert!(!cause.is_retryable());
    let kept = kept.lock().expect("no panic");
    assert_eq!(numbers(&kept[0].events), [1]);
    assert!(kept[0].rejections.is_empty() && kept[0].cause.is_some());
}

/// Refuses the name of checkouts.
fn without_checkouts(request: &SeenRequest) -> Reply {
    let refused = request.has_name("storefront/cart.checkout.completed");
    if refused { Reply::Status(403) } else { Reply::Accept }
}

#[tokio::test(start_paused = true)]
async fn a_refused_name_stops_only_its_own_events() {
    let server = Server::default();
    let (builder, kept) = keeping(server.client(without_checkouts).publisher());
    let publisher = builder.start();
    // Nothing is known about other names yet: the event is kept.
    let receipt = publisher.publish(CheckoutCompleted::of("c1")).await.expect("capacity");
    let error = publisher.flush(SECOND).await.expect_err("a refused name");
    assert_eq!((error.events, error.key_refused), (1, true));
    assert!(publisher.stats().key_refused);
    let refused = publisher.publish(CheckoutCompleted::of("c2")).await.expect_err("a refused name");
    assert!(matches!(refused, PublishError::KeyRefused { .. }), "{refused:?}");
    assert!(receipt.try_delivered().is_none() && kept.lock().expect("no panic").is_empty());

    // Another name is accepted: the refusal concerns the name, and the event is rejected.
    let viewed = publisher.publish(ItemViewed::number(1)).await.expect("capacity");
    viewed.delivered().await.expect("an id");
    let error = receipt.delivered().await.expect_err("a rejection");
    let DeliveryError::Rejected(reason) = &error else { panic!("{error:?}") };
    assert!(matches!(**reason, Rejection::Server { status: 403, .. }), "{reason}");
    publisher.flush(SECOND).await.expect("all completed");
    assert!(!publisher.stats().key_refused);
    assert_eq!(kept.lock().expect("no panic")[0].events.len(), 1);
    let refused = publisher.try_publish(CheckoutCompleted::of("c3")).expect_err("a refused name");
    assert!(matches!(refused, PublishError::KeyRefused { .. }), "{refused:?}");

    publisher.resume();
    publisher.try_publish(CheckoutCompleted::of("c4")).expect("it may be allowed now");
}

#[tokio::test(start_paused = true)]
async fn a_batch_with_a_refused_name_delivers_its_other_events() {
    let server = Server::default();
    let publisher = server.client(without_checkouts).publisher().start();
    let mut batch = Batch::new();
    for number in 0..10 {
        batch.push(ItemViewed::number(number)).expect("an event");
        batch.push(CheckoutCompleted::of(&format!("c{number}"))).expect("an event");
    }
    let receipts = publisher.publish_batch(batch).await.expect("capacity");
    publisher.flush(SECOND).await.expect("all completed");
    let delivered = receipts.iter().map(|it| matches!(it.try_delivered(), Some(Ok(_))));
    let delivered: Vec<bool> = delivered.collect();
    assert_eq!(delivered, [true, false].repeat(10));
    let refused = publisher.try_publish(CheckoutCompleted::of("c10")).expect_err("a refused name");
    assert!(matches!(refused, PublishError::KeyRefused { .. }), "{refused:?}");
    // The batch, a probe for each name, and the runs.
    assert_eq!(server.requests().len(), 1 + 2 + 9);
}

#[tokio::test(start_paused = true)]
async fn events_left_after_a_refused_name_say_so() {
    let server = Server::default();
    let publisher = server.client(without_checkouts).publisher().start();
    let receipt = publisher.publish(CheckoutCompleted::of("c1")).await.expect("capacity");
    let report = publisher.close(SECOND).await;
    assert_eq!(report.undelivered.len(), 1);
    let error = receipt.delivered().await.expect_err("closed");
    assert!(matches!(error, DeliveryError::KeyRefused(_)), "{error:?}");
    assert!(error.to_string().contains("(403)"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn publish_batch_keeps_the_ids_and_returns_a_receipt_per_event() {
    let server = Server::default();
    let client = server.client(|_| Reply::Accept);
    let publisher = client.publisher().max_batch_events(4).start();
    let batch = batch_of(0..10);
    let copy: Batch =
        serde_json::from_value(serde_json::to_value(&batch).expect("JSON")).expect("a batch");
    let receipts = publisher.publish_batch(batch).await.expect("capacity");
    assert_eq!(receipts.len(), 10);
    for receipt in &receipts {
        receipt.delivered().await.expect("an id");
    }
    // The same seeds as in a call with the same limits.
    let builder = server.builder(|_| Reply::Accept).max_request_events(4).max_in_flight(1);
    builder.build().expect("a client").send_batch(&copy).await.expect("ids");
    let seed = |request: &SeenRequest| request.headers["x-inngest-event-id-seed"].clone();
    let requests = server.requests();
    let (queued, sent) = requests.split_at(requests.len() / 2);
    assert_eq!(queued.len(), 3);
    assert!(queued.iter().map(seed).eq(sent.iter().map(seed)));
}

#[tokio::test(start_paused = true)]
async fn publish_batch_queues_all_or_nothing() {
    let server = Server::default();
    let client = server.client(|_| Reply::Hang);
    let publisher = client.publisher().max_queued_events(5).start();
    publish(&publisher, [0]).await;
    // Larger than the queue: it waits for all of its capacity.
    let waiting = tokio::spawn({
        let publisher = publisher.clone();
        async move { publisher.publish_batch(batch_of(1..9)).await }
    });
    tokio::time::sleep(SECOND).await;
    assert_eq!(publisher.stats().accepted, 1);
    drop(publisher.close(SECOND).await);
    let error = waiting.await.expect("no panic").expect_err("closed");
    assert_eq!(numbers(&error.into_event().expect("the batch")), (1..9).collect::<Vec<u64>>());

    let client = server.client(|_| Reply::Accept);
    let publisher = client.publisher().max_queued_events(5).start();
    let receipts = publisher.publish_batch(batch_of(0..50)).await.expect("capacity");
    assert_eq!(receipts.len(), 50);
    publisher.flush(SECOND).await.expect("all sent");
    // The capacity is as it was.
    for _ in 0..3 {
        publish(&publisher, 0..5).await;
        publisher.flush(SECOND).await.expect("all sent");
    }
    let client = server.client(|_| Reply::Hang);
    let publisher = client.publisher().max_queued_events(5).start();
    drop(publisher.publish_batch(batch_of(0..5)).await.expect("capacity"));
    let full = publisher.try_publish(ItemViewed::number(5)).expect_err("a full queue");
    assert!(matches!(full, PublishError::Full { .. }), "{full:?}");
    drop(publisher.close(MILLI).await);
}

#[tokio::test(start_paused = true)]
async fn a_batch_carries_the_trace_context_that_its_events_agree_on() {
    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const OTHER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01";
    let server = Server::default();
    let current = Arc::new(Mutex::new(TRACE));
    let context = Arc::clone(&current);
    let builder = server.builder(|_| Reply::Accept);
    let builder =
        builder.trace_context(move || Some((*context.lock().expect("no panic")).to_owned()));
    let publisher = builder.build().expect("a client").publisher().start();
    publish(&publisher, 0..3).await;
    publisher.flush(SECOND).await.expect("all sent");
    publish(&publisher, [3]).await;
    *current.lock().expect("no panic") = OTHER;
    publish(&publisher, [4]).await;
    publisher.flush(SECOND).await.expect("all sent");
    let sent: Vec<_> = server.requests().into_iter().map(|it| it.headers).collect();
    assert_eq!(sent[0]["traceparent"], TRACE);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1].get("traceparent"), None);
}

#[tokio::test(start_paused = true)]
async fn flush_and_close_try_at_once_but_keep_a_servers_retry_after() {
    // A server that cannot be reached, and one that answers with an error, where the batch has its own backoff.
    for down in [|| Reply::NoConnection, || Reply::Status(503)] {
        let server = Server::default();
        let start = Instant::now();
        let client =
            server.client(
                move |request| {
                    if request.at - start < 25 * SECOND { down() } else { Reply::Accept }
                },
            );
        let publisher = client.publisher().start();
        publish(&publisher, 0..3).await;
        // `close` tries at once even if another caller has been waiting for long.
        let waiting = publisher.clone();
        let waiting = tokio::spawn(async move { waiting.flush(120 * SECOND).await });
        tokio::time::sleep(25 * SECOND).await;
        // The next attempt of its own is seconds away.
        assert_eq!(publisher.stats().delivered, 0);
        let report = publisher.close(SECOND).await;
        assert_eq!((report.delivered, report.undelivered.len()), (3, 0));
        waiting.await.expect("no panic").expect("all sent");
    }

    // Several callers do not cause more attempts than one.
    let server = Server::default();
    let publisher = server.client(|_| Reply::Status(503)).publisher().start();
    publish(&publisher, [0]).await;
    tokio::time::sleep(100 * SECOND).await;
    let before = server.requests().len();
    for _ in 0..20 {
        drop(publisher.flush(10 * MILLI).await);
    }
    let flushes = (0..20).map(|_| publisher.flush(50 * MILLI));
    drop(futures_util::future::join_all(flushes).await);
    let attempts = server.requests().len() - before;
    assert!(attempts <= 5, "{attempts} attempts in 250 ms");
    drop(publisher.close(MILLI).await);

    // A pause that the server asked for is kept.
    let script = Script::new([Step::retry_after(503, "60")]);
    let publisher = script.client().publisher().start();
    publish(&publisher, [0]).await;
    tokio::time::sleep(SECOND).await;
    let report = publisher.close(10 * SECOND).await;
    assert_eq!((report.undelivered.len(), script.requests().len()), (1, 1));
}

#[tokio::test]
async fn slow_hooks_do_not_make_close_exceed_its_deadline() {
    let called = Arc::new(Mutex::new(0));
    let calls = Arc::clone(&called);
    let server = Server::default();
    let builder = server.builder(|_| Reply::Hang).after_send(move |report| {
        assert!(matches!(report.outcome, SendOutcome::Unsent(None)));
        std::thread::sleep(40 * MILLI);
        *calls.lock().expect("no panic") += 1;
    });
    let publisher = builder.build().expect("a client").publisher().start();
    let receipts = publisher.publish_all((0..10).map(ItemViewed::number)).await;
    let receipts = receipts.into_receipts().expect("capacity");
    let start = std::time::Instant::now();
    let report = publisher.close(20 * MILLI).await;
    assert!(start.elapsed() < 200 * MILLI, "{:?}", start.elapsed());
    assert_eq!(report.undelivered.len(), 10);
    // The other hooks are called all the same, and the receipts resolve.
    for receipt in receipts {
        let error = receipt.delivered().await.expect_err("closed");
        assert!(matches!(error, DeliveryError::Closed), "{error:?}");
    }
    assert_eq!(*called.lock().expect("no panic"), 10);
}

#[tokio::test(start_paused = true)]
async fn isolated_batches_do_not_starve_the_others() {
    let server = Server::default();
    let client = server.client(|request| {
        if request.numbers.iter().any(|it| *it < 24) { Reply::Hang } else { Reply::Accept }
    });
    let publisher = client.publisher().max_batch_events(1).start();
    publish(&publisher, 0..24).await;
    tokio::time::sleep(600 * SECOND).await;
    for number in 100..400 {
        let receipt = publisher.publish(ItemViewed::number(number)).await.expect("capacity");
        let started = Instant::now();
        receipt.delivered().await.expect("an id");
        // The first one waits for the backoff of what looks like an outage.
        let limit = if number == 100 { 60 * SECOND } else { 15 * SECOND };
        assert!(started.elapsed() < limit, "event {number} took {:?}", started.elapsed());
        tokio::time::sleep(SECOND).await;
    }
    drop(publisher.close(MILLI).await);
}

#[tokio::test(start_paused = true)]
async fn a_suspected_batch_waits_for_the_retry_after_of_a_server() {
    let script = Script::new(vec![Step::retry_after(503, "2"); 6]);
    let publisher = script.client().publisher().start();
    publish(&publisher, [0]).await;
    publisher.flush(60 * SECOND).await.expect("all sent");
    let times: Vec<Duration> = script.requests().iter().map(|request| request.elapsed).collect();
    assert!(times.windows(2).all(|pair| pair[1] >= pair[0] + 2 * SECOND), "{times:?}");
}
