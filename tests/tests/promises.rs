//! The promises of the client, over a real socket: no event is lost, resending makes no duplicates,
//! network failures are retried, limits are respected, a bad event does not affect the others, and invalid
//! responses are errors. The server misbehaves, and the tests check which events it stored and which
//! functions it ran.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use inngest_core::testing::{EventApi, Fault};
use inngest_core::{
    Batch, BatchError, Client, EventId, Rejection, RequestError, RetryPolicy, SendError, batch,
};
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed};
use tokio::net::TcpListener;

/// A server with two functions for checkouts and one for views, and a client with a short backoff.
struct Shop {
    api: EventApi,
    client: Client,
}

impl Shop {
    async fn open() -> Shop {
        let api = EventApi::start().await;
        api.on::<CheckoutCompleted>("fulfil", |_| async {});
        api.on::<CheckoutCompleted>("thank", |_| async {});
        api.on::<ItemViewed>("count", |_| async {});
        let client = Shop::client(api.url(), |builder| builder);
        Shop { api, client }
    }

    fn client(
        url: &str,
        configure: impl Fn(inngest_core::ClientBuilder) -> inngest_core::ClientBuilder,
    ) -> Client {
        let policy = RetryPolicy::default().initial_backoff(Duration::from_millis(2));
        let builder = Client::builder().no_env().dev(true).base_url(url).retry(policy);
        configure(builder.event_key("a-secret-key")).build().expect("a client")
    }

    /// Asserts that exactly the views of `expected` are stored, each under one id, and counted once.
    async fn assert_views(&self, expected: impl IntoIterator<Item = u32>) {
        self.api.idle().await;
        let mut ids: BTreeMap<u32, BTreeSet<EventId>> = BTreeMap::new();
        for event in self.api.events() {
            if event.name == "storefront/item.viewed" {
                let number = event.data["number"].as_u64().expect("a number");
                let number = u32::try_from(number).expect("a small number");
                ids.entry(number).or_default().insert(event.id);
            }
        }
        for (number, ids) in &ids {
            assert_eq!(ids.len(), 1, "view {number} has several ids: {ids:?}");
        }
        let expected: BTreeSet<u32> = expected.into_iter().collect();
        assert_eq!(ids.keys().copied().collect::<BTreeSet<_>>(), expected);
        let mut counted: Vec<EventId> =
            self.api.runs_of("count").into_iter().map(|run| run.event_id).collect();
        counted.sort();
        let mut stored: Vec<EventId> = ids.into_values().flatten().collect();
        stored.sort();
        assert_eq!(counted, stored);
    }
}

/// Asserts that each of `total` events is either accepted, rejected or unsent.
fn assert_every_event_once(error: &BatchError, total: usize) {
    let mut indexes: Vec<usize> = error.accepted().iter().map(|(index, _)| *index).collect();
    indexes.extend(error.rejected().iter().map(|(index, _)| *index));
    indexes.extend(error.unsent());
    indexes.sort_unstable();
    assert_eq!(indexes, (0..total).collect::<Vec<_>>());
    assert_eq!(error.causes().len(), error.unsent().len());
}

#[tokio::test]
async fn one_event_is_stored_and_runs_its_functions() {
    let shop = Shop::open().await;
    let id = shop.client.send(CheckoutCompleted::of("c1")).await.expect("an id");
    shop.api.idle().await;
    let events = shop.api.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].id, id);
    assert_eq!(events[0].dedup_id.as_deref(), Some("cart-checkout-completed-c1"));
    assert_eq!(events[0].version.as_deref(), Some("2026-11-01.1"));
    assert_eq!(shop.api.runs().len(), 2);
    let decoded = shop.api.events_of::<CheckoutCompleted>();
    assert_eq!(decoded[0].data, CheckoutCompleted::of("c1"));
}

#[tokio::test]
async fn the_same_event_sent_twice_runs_each_function_once() {
    let shop = Shop::open().await;
    let first = shop.client.send(CheckoutCompleted::of("c1")).await.expect("an id");
    let second = shop.client.send(CheckoutCompleted::of("c1")).await.expect("an id");
    assert_ne!(first, second);
    shop.api.idle().await;
    assert_eq!(shop.api.events().len(), 2);
    assert_eq!(shop.api.runs_of("fulfil").len(), 1);
    assert_eq!(shop.api.runs_of("thank").len(), 1);
}

/// Faults of the network and the server that a retry overcomes.
fn transient_faults() -> Vec<(&'static str, Fault)> {
    let http_date = httpdate::fmt_http_date(std::time::SystemTime::now());
    vec![
        ("dropped before it was read", Fault::drop_before_reading()),
        ("accepted, then dropped", Fault::drop_before_answer()),
        ("accepted, then dropped in the answer", Fault::drop_within_answer()),
        ("503", Fault::status(503)),
        ("503 after accepting", Fault::status(503).after_accepting()),
        ("429 with seconds", Fault::status(429).retry_after("0")),
        ("429 with a date", Fault::status(429).retry_after(&http_date)),
        ("hangs", Fault::hang()),
        ("hangs after accepting", Fault::hang().after_accepting()),
        ("400 at the first", Fault::fail_at(0)),
    ]
}

#[tokio::test]
async fn a_transient_fault_neither_loses_nor_duplicates_an_event() {
    for (what, fault) in transient_faults() {
        let shop = Shop::open().await;
        let client =
            Shop::client(shop.api.url(), |builder| builder.timeout(Duration::from_millis(200)));
        shop.api.fail_next(fault.clone());
        client.send(ItemViewed::number(0)).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        shop.api.fail_next_n(2, fault);
        let views: Vec<ItemViewed> = (1..100).map(ItemViewed::number).collect();
        let ids = client.send_all(&views).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let stored: BTreeMap<u64, EventId> = shop
            .api
            .events()
            .into_iter()
            .map(|event| (event.data["number"].as_u64().expect("a number"), event.id))
            .collect();
        for (number, id) in (1..).zip(&ids) {
            assert_eq!(stored[&number], *id, "{what}: ids in the caller's order");
        }
        shop.assert_views(0..100).await;
    }
}

#[tokio::test]
async fn a_503_is_retried_until_the_server_accepts() {
    let shop = Shop::open().await;
    shop.api.fail_next_n(2, Fault::status(503));
    shop.client.send(ItemViewed::number(0)).await.expect("the third attempt");
    assert_eq!(shop.api.requests().len(), 3);
    shop.assert_views(0..1).await;
}

#[tokio::test]
async fn a_refused_connection_leaves_every_event_unsent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = Shop::client(&url, |builder| builder);
    let error = client.send(ItemViewed::number(0)).await.expect_err("a refused connection");
    assert!(error.is_retryable());
    assert!(matches!(error.cause(), Some(RequestError::Connect { .. })), "{error:?}");
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(error.into_unsent().len(), 1);
    let error = client.send_all(ItemViewed::many(10)).await.expect_err("a refused connection");
    assert_every_event_once(&error, 10);
    assert_eq!(error.unsent().len(), 10);
}

#[tokio::test]
async fn resending_the_unsent_events_keeps_their_ids() {
    let persistent = [
        ("drops", Fault::drop_before_answer()),
        ("503 after accepting", Fault::status(503).after_accepting()),
        ("hangs after accepting", Fault::hang().after_accepting()),
        ("HTML", Fault::html()),
        ("HTML after accepting", Fault::html().after_accepting()),
        ("too few ids", Fault::missing_ids(1)),
        ("empty ids", Fault::empty_ids()),
        ("a long answer", Fault::answer_of_bytes(100 << 20)),
        ("a long answer after accepting", Fault::answer_of_bytes(100 << 20).after_accepting()),
        ("a redirect", Fault::redirect("/elsewhere")),
        ("a refused key", Fault::status(401).after_accepting()),
        ("413", Fault::status(413)),
        ("an unknown refusal", Fault::status(418).after_accepting()),
        ("a wait too long", Fault::status(429).retry_after("3600").after_accepting()),
    ];
    for (what, fault) in persistent {
        let shop = Shop::open().await;
        let client = Shop::client(shop.api.url(), |builder| {
            builder.max_request_events(10).timeout(Duration::from_millis(200))
        });
        // The second of three requests fails at every attempt.
        shop.api.fault_when(move |request| {
            let events = request.json().ok()?;
            (events[0]["data"]["number"] == 10).then(|| fault.clone())
        });
        let error = client.send_all(ItemViewed::many(30)).await.expect_err(what);
        assert_every_event_once(&error, 30);
        assert!(error.rejected().is_empty(), "{what}: {error}");
        assert!(error.unsent().iter().all(|index| *index >= 10), "{what}: {error}");
        assert!((10..20).all(|index| error.unsent().contains(&index)), "{what}: {error}");

        shop.api.clear_faults();
        let before: Vec<usize> = error.unsent().to_vec();
        let unsent = error.into_unsent();
        assert_eq!(unsent.len(), before.len());
        client.send_batch(&unsent).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        shop.assert_views(0..30).await;
    }
}

#[tokio::test]
async fn resending_one_unsent_event_keeps_its_id() {
    let shop = Shop::open().await;
    shop.api.fail_next(Fault::html().after_accepting());
    let error = shop.client.send(ItemViewed::number(0)).await.expect_err("HTML");
    shop.client.send_batch(&error.into_unsent()).await.expect("an id");
    assert_eq!(shop.api.events().len(), 2);
    shop.assert_views(0..1).await;
}

#[tokio::test]
async fn a_batch_resent_with_another_split_has_the_same_ids() {
    let shop = Shop::open().await;
    let views = Batch::try_from_iter(ItemViewed::many(50)).expect("a batch");
    let first = shop.client.send_batch(&views).await.expect("ids");
    for pieces in [1, 7, 50] {
        let client = Shop::client(shop.api.url(), |builder| builder.max_request_events(pieces));
        assert_eq!(client.send_batch(&views).await.expect("ids"), first);
    }
    shop.assert_views(0..50).await;
}

#[tokio::test]
async fn a_batch_handed_back_and_its_original_can_both_grow() {
    let shop = Shop::open().await;
    let mut views = Batch::try_from_iter(ItemViewed::many(10)).expect("a batch");
    shop.api.fail_next(Fault::html());
    let error = shop.client.send_batch(&views).await.expect_err("HTML");
    let mut unsent = error.into_unsent();
    // Two new events, which must not get the same place of the shared seed.
    unsent.push(ItemViewed::number(10)).expect("an event");
    views.push(ItemViewed::number(11)).expect("an event");
    shop.client.send_batch(&unsent).await.expect("ids");
    shop.client.send_batch(&views).await.expect("ids");
    shop.assert_views(0..12).await;
}

#[tokio::test]
async fn appended_batches_keep_their_ids() {
    let shop = Shop::open().await;
    let client = Shop::client(shop.api.url(), |builder| builder.max_request_events(10));
    shop.api.fault_when(|request| {
        let first = request.json().ok()?[0]["data"]["number"].as_u64()?;
        (first % 20 == 10).then(|| Fault::html().after_accepting())
    });
    let mut unsent = Batch::new();
    unsent.push(ItemViewed::number(100)).expect("an event");
    for start in [0, 30, 60] {
        let views = (start..start + 30).map(ItemViewed::number);
        unsent.append(client.send_all(views).await.expect_err("HTML").into_unsent());
    }
    unsent.push(ItemViewed::number(101)).expect("an event");
    assert_eq!(unsent.len(), 42);
    let sizes = Batch::try_from_iter(ItemViewed::many(90)).expect("a batch").bytes();
    assert!(unsent.bytes() < sizes);
    shop.api.clear_faults();
    client.send_batch(&unsent).await.expect("ids");
    shop.assert_views((0..90).chain(100..102)).await;
}

#[tokio::test]
async fn a_canceled_batch_can_be_resent_without_duplicates() {
    let shop = Shop::open().await;
    let views = Batch::try_from_iter(ItemViewed::many(40)).expect("a batch");
    let client = Shop::client(shop.api.url(), |builder| builder.max_request_events(10));
    shop.api.fail_next_n(2, Fault::hang().after_accepting());
    let call = client.send_batch(&views);
    tokio::time::timeout(Duration::from_millis(200), call).await.expect_err("canceled");
    client.send_batch(&views).await.expect("ids");
    shop.assert_views(0..40).await;
}

#[tokio::test]
async fn a_bad_event_at_any_index_does_not_affect_the_others() {
    for bad in 0..8 {
        let shop = Shop::open().await;
        // The server refuses this event in every request, as it refuses one that breaks its rules.
        shop.api.fault_when(move |request| {
            let events = request.json().ok()?;
            let number = |event: &serde_json::Value| event["data"]["number"].as_u64();
            let index = match events.as_array() {
                Some(events) => events.iter().position(|event| number(event) == Some(bad))?,
                None => (number(&events) == Some(bad)).then_some(0)?,
            };
            Some(Fault::fail_at(index))
        });
        let error = shop.client.send_all(ItemViewed::many(8)).await.expect_err("a rejection");
        assert_every_event_once(&error, 8);
        let index = usize::try_from(bad).expect("small");
        let [(rejected, Rejection::Server { event, status, message })] = error.rejected() else {
            panic!("{error:?}");
        };
        assert_eq!((*rejected, *event, *status), (index, "storefront/item.viewed", 400));
        assert!(!message.is_empty());
        assert!(error.unsent().is_empty() && !error.is_retryable());
        let text = error.to_string();
        assert!(text.starts_with("of 8 events, 7 were accepted, 1 rejected"), "{text}");
        assert_eq!(error.into_rejected().len(), 1);
        let others = (0..8).filter(|number| u64::from(*number) != bad);
        shop.assert_views(others).await;
    }
}

#[tokio::test]
async fn rejection_of_a_single_event_carries_the_reason() {
    let shop = Shop::open().await;
    shop.api.fail_next_n(4, Fault::fail_at(0));
    let error = shop.client.send(ItemViewed::number(0)).await.expect_err("a rejection");
    let SendError::Rejected { reason: Rejection::Server { status: 400, .. }, rejected } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(rejected.len(), 1);
    assert_eq!(shop.api.requests().len(), 4);
    assert!(shop.api.events().is_empty());
}

#[tokio::test]
async fn an_invalid_event_is_rejected_locally_and_the_others_are_sent() {
    let shop = Shop::open().await;
    let cart = |id: &str| CheckoutCompleted::of(id);
    let error = shop
        .client
        .send_all([cart("a"), cart(""), cart("b"), cart(" "), cart("\t")])
        .await
        .expect_err("three blank ids");
    assert_every_event_once(&error, 5);
    let accepted: Vec<usize> = error.accepted().iter().map(|(index, _)| *index).collect();
    assert_eq!(accepted, [0, 2]);
    for (_, reason) in error.rejected() {
        let field = "cart_id";
        assert!(matches!(
            reason,
            Rejection::Event(inngest_core::EventError::BlankIdSegment { field: it, .. }) if *it == field
        ));
    }
    shop.api.idle().await;
    assert_eq!(shop.api.runs_of("fulfil").len(), 2);
    // The invalid events keep their places, so the events after them need another request.
    assert_eq!(shop.api.requests().len(), 2);

    let error = shop.client.send_all([cart(""), cart(" ")]).await.expect_err("nothing to send");
    assert_every_event_once(&error, 2);
    assert_eq!(shop.api.requests().len(), 2);
}

#[tokio::test]
async fn an_event_over_the_size_limit_is_rejected_locally_and_one_at_the_limit_is_sent() {
    let shop = Shop::open().await;
    let note = "x".repeat(10_000);
    let view = |number| ItemViewed { number, note: note.clone() };
    let max = batch![view(1)].expect("a batch").bytes();
    let client = Shop::client(shop.api.url(), |builder| builder.max_event_bytes(max));
    let error = client.send_all([view(1), view(10), view(2)]).await.expect_err("one too large");
    assert_every_event_once(&error, 3);
    let [(1, Rejection::Event(inngest_core::EventError::TooLarge { bytes, max: limit, .. }))] =
        error.rejected()
    else {
        panic!("{error:?}");
    };
    assert_eq!((*bytes, *limit), (max + 1, max));
    shop.assert_views([1, 2]).await;
    let error = client.send(view(10)).await.expect_err("too large");
    assert!(matches!(error, SendError::Event(_)), "{error:?}");

    // The default limit is the limit of the server.
    let empty = batch![view(1)].expect("a batch").bytes() - 10_000;
    let of_bytes = |bytes: usize| ItemViewed { number: 3, note: "x".repeat(bytes - empty) };
    shop.client.send(of_bytes(3 << 20)).await.expect("an event of 3 MiB");
    shop.client.send(of_bytes((3 << 20) + 1)).await.expect_err("a byte more");
}

#[tokio::test]
async fn requests_respect_the_limits_to_the_byte_and_the_event() {
    let shop = Shop::open().await;
    let views: Vec<ItemViewed> = (0..400_u32)
        .map(|number| {
            let bytes = usize::try_from(number * 7919 % 1_300).expect("small");
            ItemViewed { number, note: "y".repeat(bytes) }
        })
        .collect();
    let client = Shop::client(shop.api.url(), |builder| {
        builder.max_request_bytes(20_000).max_request_events(25)
    });
    client.send_all(&views).await.expect("ids");
    let requests = shop.api.requests();
    let mut fullest = 0;
    for request in &requests {
        assert!(request.body.len() <= 20_000);
        let events = request.json().expect("JSON").as_array().map_or(1, Vec::len);
        assert!(events <= 25);
        fullest = fullest.max(events);
    }
    assert_eq!(fullest, 25);
    shop.assert_views(0..400).await;

    // An event larger than the limit is sent alone.
    let big = ItemViewed { number: 400, note: "z".repeat(50_000) };
    client.send_all([&views[0], &big, &views[1]]).await.expect("ids");
    let bodies: Vec<usize> =
        shop.api.requests()[requests.len()..].iter().map(|request| request.body.len()).collect();
    assert_eq!(bodies.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_thousand_mixed_events_arrive_once_each_in_order_and_within_the_limits() {
    let shop = Shop::open().await;
    let mut batch = Batch::new();
    let mut expected = Vec::new();
    for number in 0..12_000_u32 {
        // 200 of up to 300 KB, the others of 100 bytes to 2 KB.
        let bytes = if number % 60 == 0 { number * 25 } else { number * 7919 % 1_900 };
        let note = "n".repeat(usize::try_from(bytes).expect("small"));
        if number % 3 == 0 {
            let cart = CheckoutCompleted { cart_id: format!("c{number}"), item_ids: vec![note] };
            batch.push(&cart).expect("an event");
            expected.push(("storefront/cart.checkout.completed", format!("c{number}")));
        } else {
            batch.push(ItemViewed { number, note }).expect("an event");
            expected.push(("storefront/item.viewed", number.to_string()));
        }
    }
    let ids = shop.client.send_batch(&batch).await.expect("ids");
    assert_eq!(ids.len(), 12_000);
    let stored: BTreeMap<EventId, _> =
        shop.api.events().into_iter().map(|event| (event.id.clone(), event)).collect();
    assert_eq!(stored.len(), 12_000);
    assert_eq!(shop.api.events().len(), 12_000);
    for (id, (name, identity)) in ids.iter().zip(&expected) {
        let event = &stored[id];
        let data = &event.data;
        let number = data["number"].as_u64().map(|number| number.to_string());
        let cart = data["cart_id"].as_str().map(str::to_owned);
        assert_eq!((event.name.as_str(), number.or(cart)), (*name, Some(identity.clone())));
    }
    for request in shop.api.requests() {
        let events = request.json().expect("JSON").as_array().map_or(1, Vec::len);
        assert!(events <= 5_000);
        assert!(request.body.len() <= 512 << 10 || events == 1);
    }
    shop.api.idle().await;
    assert_eq!(shop.api.runs_of("fulfil").len(), 4_000);
    assert_eq!(shop.api.runs_of("count").len(), 8_000);
}

#[tokio::test]
async fn an_integer_that_would_be_rounded_never_leaves() {
    let shop = Shop::open().await;
    let account = 616_581_622_363_398_142;
    let error = shop.client.send(AccountLinked { account }).await.expect_err("it would be rounded");
    assert!(matches!(error, SendError::Event(_)));
    assert!(error.to_string().contains("`data.account`"), "{error}");
    assert!(shop.api.requests().is_empty());
    let account = (1 << 53) - 1;
    shop.client.send(AccountLinked { account }).await.expect("the largest that survives");
    assert_eq!(shop.api.events_of::<AccountLinked>()[0].data, AccountLinked { account });
}

#[tokio::test]
async fn temporaries_and_payloads_that_are_not_send_can_be_sent_from_a_spawned_task() {
    let shop = Shop::open().await;
    let call = {
        let view = ItemViewed::number(0);
        shop.client.send(&view)
    };
    tokio::spawn(call).await.expect("no panic").expect("an id");

    /// A payload that is not `Send`.
    #[derive(inngest_core::InngestEvent)]
    #[inngest(name = "storefront/item.viewed")]
    struct Local {
        view: std::rc::Rc<ItemViewed>,
    }
    impl serde::Serialize for Local {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.view.serialize(serializer)
        }
    }
    let client = shop.client.clone();
    let call = {
        let views: Vec<_> =
            (1..3).map(|number| Local { view: ItemViewed::number(number).into() }).collect();
        client.send_all(views)
    };
    drop(client);
    tokio::spawn(call).await.expect("no panic").expect("ids");
    shop.assert_views(0..3).await;
}
