//! Batches: how events are serialized and checked before they are sent.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use inngest_core::{Batch, DedupId, Event, EventError, InngestEvent, batch};
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed, Script};
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Returns the body of the request that sends `batch`.
async fn wire(batch: &Batch) -> Value {
    let script = Script::new([]);
    script.client().send_batch(batch).await.expect("ids");
    serde_json::from_slice(script.requests()[0].http.body()).expect("JSON")
}

fn pushed<E: inngest_core::IntoEvent>(event: E) -> Result<(), EventError> {
    Batch::new().push(event)
}

#[tokio::test]
async fn an_event_is_sent_with_its_name_id_data_and_version() {
    let batch = batch![&CheckoutCompleted::of("c1")].expect("a batch");
    let event = wire(&batch).await;
    assert_eq!(
        event,
        json!({
            "name": "storefront/cart.checkout.completed",
            "id": "cart-checkout-completed-c1",
            "data": { "cart_id": "c1", "item_ids": ["lamp", "shade"] },
            "v": "2026-11-01.1",
        })
    );
    assert_eq!(batch.bytes(), event.to_string().len());
}

#[tokio::test]
async fn an_envelope_sets_id_time_version_user_and_sessions() {
    #[derive(Serialize)]
    struct User {
        external_id: u32,
    }
    let time = UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_999);
    let checkout = CheckoutCompleted::of("c1");
    let event = Event::new(&checkout)
        .id("mine \"1\"")
        .at(time)
        .version("2")
        .user(User { external_id: 7 })
        .session("chat", "old")
        .session("chat", 42);
    let wire = wire(&batch![event].expect("a batch")).await;
    assert_eq!(
        wire,
        json!({
            "name": "storefront/cart.checkout.completed",
            "id": "mine \"1\"",
            "data": { "cart_id": "c1", "item_ids": ["lamp", "shade"] },
            "ts": 1_700_000_000_123_i64,
            "v": "2",
            "user": { "external_id": 7 },
            "meta": { "sessions": { "chat": "42" } },
        })
    );
}

#[tokio::test]
async fn without_id_sends_no_id() {
    let checkout = CheckoutCompleted::of("c1");
    let wire = wire(&batch![Event::new(checkout).without_id()].expect("a batch")).await;
    assert_eq!(wire.get("id"), None);
}

#[tokio::test]
async fn an_envelope_holds_a_value_or_a_reference_and_can_be_pushed_by_reference() {
    let checkout = CheckoutCompleted::of("c1");
    let envelope = Event::new(checkout.clone()).version("2");
    let batch =
        batch![checkout.clone(), &checkout, Box::new(checkout.clone()), &envelope, envelope];
    let batch = batch.expect("a batch");
    let events = wire(&batch).await;
    assert_eq!(events.as_array().map(Vec::len), Some(5));
    assert_eq!(events[0], events[1]);
    assert_eq!(events[0], events[2]);
    assert_eq!(events[3], events[4]);
}

#[tokio::test]
async fn a_failed_push_leaves_the_batch_unchanged() {
    let mut batch = Batch::new();
    let bad = AccountLinked { account: 1 << 60 };
    batch.push(&bad).expect_err("an unsafe integer");
    assert!(batch.is_empty());
    batch.push(ItemViewed::number(1)).expect("an event");
    let bytes = batch.bytes();
    batch.push(&bad).expect_err("an unsafe integer");
    batch.push(CheckoutCompleted::of(" ")).expect_err("a blank id");
    assert_eq!((batch.len(), batch.bytes()), (1, bytes));
    batch.push(ItemViewed::number(2)).expect("an event");
    let events = wire(&batch).await;
    assert_eq!(events[0]["data"]["number"], 1);
    assert_eq!(events[1]["data"]["number"], 2);
    assert_eq!(events.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_panicking_payload_leaves_the_batch_unchanged() {
    #[derive(InngestEvent)]
    #[inngest(name = "test/panics")]
    struct Panics {}

    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("half", &1)?;
            panic!("in the middle of an event")
        }
    }

    let mut batch = batch![&ItemViewed::number(1), &ItemViewed::number(2)].expect("a batch");
    let push = std::panic::AssertUnwindSafe(|| batch.push(Panics {}));
    std::panic::catch_unwind(push).expect_err("a panic");
    assert_eq!(batch.len(), 2);
    assert_eq!(wire(&batch).await.as_array().map(Vec::len), Some(2));
    batch.push(ItemViewed::number(3)).expect("an event");
    assert_eq!(wire(&batch).await[2]["data"]["number"], 3);
}

#[test]
fn try_from_iter_takes_all_events_or_returns_an_error() {
    let batch = Batch::try_from_iter(ItemViewed::many(3)).expect("a batch");
    assert_eq!(batch.len(), 3);
    let accounts = [1, 1 << 53, 2].map(|account| AccountLinked { account });
    Batch::try_from_iter(accounts).expect_err("an unsafe integer");
}

#[test]
fn the_batch_macro_takes_events_of_any_type() {
    fn question_mark() -> Result<usize, EventError> {
        let empty = batch![]?;
        let trailing = batch![&ItemViewed::number(1), CheckoutCompleted::of("c1"),]?;
        Ok(empty.len() + trailing.len())
    }
    assert_eq!(question_mark().expect("batches"), 2);
    batch![&ItemViewed::number(1), CheckoutCompleted::of("")].expect_err("a blank id");
}

#[test]
fn integers_beyond_2_to_the_53_are_errors_with_their_path() {
    let safe = (1_i128 << 53) - 1;
    pushed(AccountLinked { account: safe }).expect("the largest");
    pushed(AccountLinked { account: -safe }).expect("the smallest");
    for unsafe_integer in [safe + 1, -safe - 1, i128::from(u64::MAX), i128::MIN, i128::MAX] {
        let error =
            pushed(AccountLinked { account: unsafe_integer }).expect_err("an unsafe integer");
        let EventError::UnsafeInteger { event, path, integer } = error else {
            panic!("{error:?}");
        };
        assert_eq!(event, "storefront/account.linked");
        assert_eq!(path, "data.account");
        assert_eq!(integer, unsafe_integer.to_string());
    }

    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "test/deep")]
    struct Deep {
        before: Vec<String>,
        lines: Vec<BTreeMap<String, Vec<u64>>>,
    }
    let line = |key: &str, numbers: &[u64]| BTreeMap::from([(key.to_owned(), numbers.to_vec())]);
    let deep = |key: &str| Deep {
        before: vec!["[{,\"\\".to_owned()],
        lines: vec![line("a", &[1]), line(key, &[1, 2, u64::MAX])],
    };
    for (key, path) in [
        ("sku", "data.lines[1].sku[2]"),
        ("two words", "data.lines[1][\"two words\"][2]"),
        ("quo\"te\\", "data.lines[1][\"quo\\\"te\\\\\"][2]"),
        ("", "data.lines[1][\"\"][2]"),
    ] {
        let error = pushed(deep(key)).expect_err("unsafe");
        assert!(error.to_string().starts_with(&format!("`{path}` of `test/deep` is")), "{error}");
        assert!(error.to_string().contains("inngest_core::as_string"), "{error}");
    }
}

#[test]
fn large_integers_are_accepted_as_map_keys_and_as_strings() {
    #[derive(Serialize, Deserialize, Debug, PartialEq, InngestEvent)]
    #[inngest(name = "test/keys")]
    struct Keys {
        by_account: HashMap<u64, u8>,
        #[serde(with = "inngest_core::as_string")]
        account: u64,
        text: String,
    }
    let keys = Keys {
        by_account: HashMap::from([(u64::MAX, 1)]),
        account: u64::MAX,
        text: u64::MAX.to_string(),
    };
    pushed(&keys).expect("only strings");
    let json = serde_json::to_value(&keys).expect("JSON");
    assert_eq!(json["account"], "18446744073709551615");
    assert_eq!(serde_json::from_value::<Keys>(json).expect("the same"), keys);
    let number = r#"{"by_account":{},"account":18446744073709551615,"text":""}"#;
    assert_eq!(serde_json::from_str::<Keys>(number).expect("a number").account, u64::MAX);
    let neither = r#"{"by_account":{},"account":true,"text":""}"#;
    let error = serde_json::from_str::<Keys>(neither).expect_err("neither text nor a number");
    assert!(error.to_string().contains("expected a string or an integer"), "{error}");
}

/// `serde_json` does not distinguish them from `None`. The documentation of `InngestEvent` states it.
#[tokio::test]
async fn floats_that_are_not_finite_are_sent_as_null_or_by_as_string() {
    #[derive(Serialize, Deserialize, InngestEvent)]
    #[inngest(name = "test/floats")]
    struct Floats {
        plain: Vec<f64>,
        #[serde(with = "inngest_core::as_string")]
        text: f64,
    }

    let batch =
        batch![Floats { plain: vec![f64::NAN, f64::INFINITY, 0.5], text: f64::NEG_INFINITY }];
    let event = wire(&batch.expect("a batch")).await;
    assert_eq!(event["data"], json!({ "plain": [null, null, 0.5], "text": "-inf" }));
    let received: Floats =
        serde_json::from_value(json!({ "plain": [], "text": "-inf" })).expect("floats");
    assert!(received.text.is_infinite());
}

#[test]
fn an_unsafe_integer_in_the_user_is_an_error() {
    let event = Event::new(ItemViewed::number(1)).user(json!({ "id": u64::MAX }));
    let error = pushed(event).expect_err("unsafe");
    assert!(error.to_string().starts_with("`user.id` of `storefront/item.viewed`"), "{error}");
}

/// An event that serializes as `value`.
#[derive(Clone, Serialize, InngestEvent)]
#[inngest(name = "test/any")]
#[serde(transparent)]
struct Any {
    value: Value,
}

#[test]
fn data_must_be_an_object_or_null() {
    for value in [json!({}), json!({ "a": null }), Value::Null] {
        pushed(Any { value }).expect("an object or null");
    }
    for (value, found) in [
        (json!([1]), "an array"),
        (json!("text"), "a string"),
        (json!(-1), "a number"),
        (json!(true), "a boolean"),
    ] {
        let error = pushed(Any { value }).expect_err(found);
        let text = format!("the `data` of `test/any` must be a JSON object, but it is {found}");
        assert_eq!(error.to_string(), text);
    }
    let error = pushed(Event::new(ItemViewed::number(1)).user("me")).expect_err("a string");
    assert!(error.to_string().starts_with("the `user` of `storefront/item.viewed`"), "{error}");
    pushed(Event::new(ItemViewed::number(1)).user(None::<Value>)).expect("no user");
}

#[test]
fn the_key_that_inngest_removes_is_an_error_only_at_the_top_level() {
    let error = pushed(Any { value: json!({ "a": 1, "_inngest": 2 }) }).expect_err("removed");
    assert!(matches!(error, EventError::ReservedKey { event: "test/any" }));
    for value in [
        json!({ "a": { "_inngest": 1 } }),
        json!({ "a": [{ "_inngest": 1 }] }),
        json!({ "a": "_inngest" }),
        json!({ "_inngest\n": 1, "\n_inngest": 1, "_inngest2": 1 }),
    ] {
        pushed(Any { value }).expect("another key");
    }
    let user = json!({ "_inngest": 1 });
    pushed(Event::new(ItemViewed::number(1)).user(user))
        .expect("Inngest removes it from data only");
}

#[test]
fn times_must_be_from_1980_to_2100() {
    let push_at = |millis: i64| {
        let distance = Duration::from_millis(millis.unsigned_abs());
        let time = if millis < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance };
        pushed(Event::new(ItemViewed::number(1)).at(time))
    };
    push_at(315_532_800_000).expect("1980");
    push_at(4_102_444_800_000).expect("2100");
    for outside in [315_532_799_999, 4_102_444_800_001, 0, -1, i64::MAX / 2] {
        let error = push_at(outside).expect_err("out of range");
        assert!(matches!(error, EventError::Timestamp { millis, .. } if millis == outside));
    }
    pushed(Event::new(ItemViewed::number(1)).at(SystemTime::now())).expect("now");
}

#[test]
fn sessions_have_limits() {
    let event = || Event::new(ItemViewed::number(1));
    let five = (0..5).fold(event(), |event, index| event.session(format!("s{index}"), index));
    pushed(&five).expect("five");
    pushed(event().session("k".repeat(128), "v".repeat(512))).expect("the longest");
    for (event, problem) in [
        (five.session("s5", 5), "6 sessions, but an event has at most 5"),
        (event().session("", "v"), "a session key is empty"),
        (event().session("k", ""), "the value of session `k` is empty"),
        (event().session("k".repeat(129), "v"), "is 129 bytes; the maximum is 128"),
        (event().session("k", "v".repeat(513)), "is 513 bytes; the maximum is 512"),
    ] {
        let error = pushed(event).expect_err(problem);
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn a_blank_id_is_an_error() {
    for id in ["", " ", "\t\n", "\u{a0}", "\u{feff}", "\u{200b}\u{2060}\u{3164}", "\0\u{7f}"] {
        let error = pushed(Event::new(ItemViewed::number(1)).id(id)).expect_err("blank");
        assert!(matches!(error, EventError::BlankId), "{error:?}");
        assert_eq!(error.to_string(), "a dedup id is blank: it has no visible character");
    }
    for id in ["0", "\u{200b}x", "é", "e\u{301}", "購", "\u{1f6d2}\u{fe0f}", "\u{fffd}"] {
        pushed(Event::new(ItemViewed::number(1)).id(id)).expect("a visible character");
    }
}

#[test]
fn a_serialization_error_keeps_the_error_of_serde_as_its_source() {
    #[derive(InngestEvent)]
    #[inngest(name = "test/unserializable")]
    struct Unserializable {}

    impl Serialize for Unserializable {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not today"))
        }
    }

    let error = pushed(Unserializable {}).expect_err("no JSON");
    let source = std::error::Error::source(&error).expect("serde's");
    assert_eq!(source.to_string(), "not today");
}

#[test]
fn the_name_of_a_hand_written_event_is_checked() {
    #[derive(Serialize)]
    struct Named {}

    impl InngestEvent for Named {
        const NAME: &'static str = "inngest/function.finished";

        fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
            Ok(None)
        }
    }

    let error = pushed(Named {}).expect_err("a reserved name");
    assert!(matches!(error, EventError::Name { name: "inngest/function.finished", .. }));
    assert!(error.to_string().contains("reserved for Inngest's own events"), "{error}");
}

#[tokio::test]
async fn the_dedup_id_of_a_hand_written_event_is_sent() {
    #[derive(Serialize)]
    struct ShopOpened {
        shop: u32,
    }

    impl InngestEvent for ShopOpened {
        const NAME: &'static str = "storefront/shop.opened";

        fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
            DedupId::new(format!("shop-opened-{}", self.shop)).map(Some)
        }
    }

    let wire = wire(&batch![ShopOpened { shop: 7 }].expect("a batch")).await;
    assert_eq!(wire["id"], "shop-opened-7");
}

#[test]
fn debug_of_a_batch_contains_no_payload() {
    let batch = batch![CheckoutCompleted::of("private")].expect("a batch");
    let shown = format!("{batch:?}");
    assert!(shown.contains("events: 1") && !shown.contains("private"), "{shown}");
}

#[test]
fn a_batch_is_empty_until_an_event_is_pushed() {
    let mut batch = Batch::new();
    assert!(batch.is_empty());
    batch.push(CheckoutCompleted::of("c1")).expect("an event");
    assert!(!batch.is_empty());
    assert_eq!(batch.len(), 1);
}
