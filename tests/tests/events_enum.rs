//! The derive `InngestEvents`: an enum of events of several types, sent and received as one type.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

use inngest_core::testing::EventApi;
use inngest_core::{Batch, Event, EventInfo, InngestEvent, InngestEvents, IntoEvent, batch};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(
    name = "storefront/cart.updated",
    id = "cart-updated-{cart_id}",
    version = "2026-11-01.1"
)]
struct CartUpdated {
    cart_id: String,
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    sku: String,
    count: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/coupon.used")]
#[serde(rename_all = "camelCase")]
struct CouponUsed {
    coupon_code: String,
    by_page: BTreeMap<u32, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/opened")]
struct Opened;

#[derive(Clone, Debug, PartialEq, InngestEvents)]
enum StorefrontEvent {
    CartUpdated(CartUpdated),
    CouponUsed(Box<CouponUsed>),
    Opened(Opened),
}

fn cart(cart_id: &str) -> CartUpdated {
    CartUpdated {
        cart_id: cart_id.to_owned(),
        lines: vec![Line { sku: "lamp".to_owned(), count: 1 }],
    }
}

fn coupon() -> CouponUsed {
    CouponUsed { coupon_code: "XMAS".to_owned(), by_page: BTreeMap::from([(3, 4)]) }
}

fn all() -> [StorefrontEvent; 3] {
    [cart("c1").into(), Box::new(coupon()).into(), Opened.into()]
}

/// Returns the name, the dedup id, the version and the data of each event of [`all`], as they are sent.
fn expected() -> [(&'static str, Option<&'static str>, Option<&'static str>, Value); 3] {
    let cart = json!({"cart_id": "c1", "lines": [{"sku": "lamp", "count": 1}]});
    let coupon = json!({"couponCode": "XMAS", "byPage": {"3": 4}});
    [
        ("storefront/cart.updated", Some("cart-updated-c1"), Some("2026-11-01.1"), cart),
        ("storefront/coupon.used", None, None, coupon),
        ("storefront/opened", None, None, Value::Null),
    ]
}

#[test]
fn events_is_a_constant_with_the_name_version_and_template_of_each_variant() {
    const EVENTS: &[EventInfo] = StorefrontEvent::EVENTS;
    let listed = EVENTS.iter().map(|event| (event.name, event.version, event.id_template));
    assert_eq!(
        listed.collect::<Vec<_>>(),
        [
            ("storefront/cart.updated", Some("2026-11-01.1"), Some("cart-updated-{cart_id}")),
            ("storefront/coupon.used", None, None),
            ("storefront/opened", None, None),
        ]
    );
    assert_eq!(<&StorefrontEvent>::EVENTS.len(), 3);
    assert_eq!(
        format!("{:?}", Opened::EVENTS),
        r#"[EventInfo { name: "storefront/opened", version: None, id_template: None, .. }]"#
    );
}

#[tokio::test]
async fn mixed_values_are_sent_with_their_own_names_ids_and_versions() {
    let api = EventApi::start().await;
    let client = api.client();
    client.send_all(all()).await.unwrap();
    client.send_all(all()).await.unwrap();
    let mut batch = Batch::new();
    for event in all() {
        batch.push(&event).unwrap();
    }
    client.send_batch(&batch).await.unwrap();
    for event in all() {
        client.send(event).await.unwrap();
    }
    client.send_batch(&batch![&all()[0], Event::new(&all()[1]), Opened].unwrap()).await.unwrap();

    let stored = api.events();
    assert_eq!(stored.len(), 15);
    for (event, (name, id, version, data)) in stored.iter().zip(expected().iter().cycle()) {
        assert_eq!((event.name.as_str(), &event.data), (*name, data));
        assert_eq!((event.dedup_id.as_deref(), event.version.as_deref()), (*id, *version));
    }
}

#[tokio::test]
async fn an_envelope_wraps_any_variant() {
    let api = EventApi::start().await;
    let client = api.client();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_225_600);
    for event in &all() {
        client.send(Event::new(event).at(time).version("3").id("other")).await.unwrap();
    }
    client.send(Event::new(all()[0].clone()).without_id()).await.unwrap();
    let ids: Vec<_> = api.events().into_iter().map(|event| event.dedup_id).collect();
    assert_eq!(ids, [Some("other".into()), Some("other".into()), Some("other".into()), None]);

    for (stored, event) in api.events().iter().zip(all()) {
        let received = stored.decode::<StorefrontEvent>().unwrap();
        assert_eq!(received.given_version(), Some("3"));
        assert_eq!(received.time(), Some(time));
        assert_eq!(received.data, event);
    }
}

/// Deserializes an event from text, from a reader and from a tree, with and without its envelope.
fn receive<E: DeserializeOwned + PartialEq + Debug>(text: &str) -> Result<E, String> {
    // The errors of a tree have no line and column.
    let message = |error: serde_json::Error| {
        let message = error.to_string();
        message.split(" at line ").next().map(str::to_owned).unwrap_or(message)
    };
    let tree: Value = serde_json::from_str(text).unwrap();
    let found = E::deserialize(&tree).map_err(message);
    assert_eq!(serde_json::from_value::<E>(tree).map_err(message), found);
    assert_eq!(serde_json::from_str::<E>(text).map_err(message), found);
    assert_eq!(serde_json::from_reader::<_, E>(text.as_bytes()).map_err(message), found);
    let in_envelope = serde_json::from_str::<Event<E>>(text).map_err(message);
    assert_eq!(in_envelope.map(Event::into_data), found);
    found
}

#[test]
fn a_received_event_decodes_to_the_variant_of_its_name() {
    for ((name, _, _, data), event) in expected().into_iter().zip(all()) {
        let data_first = format!(r#"{{"data": {data}, "id": "x", "ts": 1, "name": "{name}"}}"#);
        let name_first = format!(r#"{{"name": "{name}", "v": null, "data": {data}, "more": [1]}}"#);
        assert_eq!(receive(&data_first), Ok(event.clone()));
        assert_eq!(receive(&name_first), Ok(event));
    }
    // All forms of data without fields.
    for data in ["", r#", "data": {}"#, r#", "data": {"_inngest": {}}"#] {
        let event = format!(r#"{{"name": "storefront/opened"{data}}}"#);
        assert_eq!(receive(&event), Ok(StorefrontEvent::Opened(Opened)));
    }
}

#[test]
fn a_decode_error_names_the_event_and_the_field() {
    let error = |event: Value| receive::<StorefrontEvent>(&event.to_string()).unwrap_err();
    assert_eq!(
        error(json!({"name": "storefront/cart.deleted", "data": {}})),
        "unknown event `storefront/cart.deleted`, expected one of `storefront/cart.updated`, \
         `storefront/coupon.used`, `storefront/opened`"
    );
    assert_eq!(error(json!({"data": {}})), "missing field `name`");
    assert_eq!(error(json!("x")), "invalid type: string \"x\", expected a received event");

    let cart = |data| error(json!({"name": "storefront/cart.updated", "data": data}));
    assert_eq!(
        cart(json!({"lines": []})),
        "`data` of `storefront/cart.updated`: missing field `cart_id`"
    );
    assert_eq!(
        cart(json!({"cart_id": 1, "lines": []})),
        "`data.cart_id` of `storefront/cart.updated`: invalid type: integer `1`, expected a string"
    );
    assert_eq!(
        cart(json!({"cart_id": "c1", "lines": [{"sku": "a", "count": 1}, {"sku": "a"}]})),
        "`data.lines[1]` of `storefront/cart.updated`: missing field `count`"
    );
    assert_eq!(
        cart(json!({"cart_id": "c1", "lines": [{"sku": "a", "count": -1}]})),
        "`data.lines[0].count` of `storefront/cart.updated`: \
         invalid value: integer `-1`, expected u32"
    );
    assert_eq!(
        cart(json!([])),
        "`data` of `storefront/cart.updated`: invalid length 0, expected struct CartUpdated with 2 elements"
    );
    assert_eq!(cart(Value::Null), "`data` of `storefront/cart.updated`: missing field `cart_id`");

    let coupon = |data| error(json!({"name": "storefront/coupon.used", "data": data}));
    assert_eq!(
        coupon(json!({"byPage": {"3": 4, "4": "x"}, "couponCode": "XMAS"})),
        "`data.byPage.4` of `storefront/coupon.used`: invalid type: string \"x\", expected u32"
    );
    assert_eq!(
        error(json!({"name": "storefront/opened", "data": "x"})),
        "`data` of `storefront/opened`: invalid type: string \"x\", expected an object or null"
    );
}

#[test]
fn an_unknown_event_error_lists_at_most_eight_names() {
    macro_rules! event_enum {
        ($($event:ident $name:literal),*) => {
            $(
                #[derive(Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
                #[inngest(name = $name)]
                struct $event;
            )*

            #[derive(Debug, PartialEq, InngestEvents)]
            enum Many {
                $($event($event)),*
            }
        };
    }
    event_enum!(A "a", B "b", C "c", D "d", E "e", F "f", G "g", H "h", I "i", J "j");
    assert_eq!(
        receive::<Many>(r#"{"name":"k"}"#).unwrap_err(),
        "unknown event `k`, expected one of `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h` and 2 more"
    );
    assert_eq!(receive::<Many>(r#"{"name":"j"}"#), Ok(Many::J(J)));
}

/// The enum can borrow, have parameters, and hold events without `Deserialize`.
#[test]
fn an_enum_of_serialize_only_events_can_be_sent() {
    #[derive(Clone, Serialize, InngestEvent)]
    #[inngest(name = "a/viewed", id = "viewed-{page}")]
    struct Viewed<'a> {
        page: &'a str,
    }

    #[derive(Clone, Serialize, InngestEvent)]
    #[inngest(name = "a/of", id = "of-{id}")]
    struct Of<T> {
        id: T,
    }

    #[derive(Clone, InngestEvents)]
    enum Sent<'a, T: Clone = u8> {
        Viewed(Viewed<'a>),
        Of(Of<T>),
        Opened(Opened),
    }

    fn names<E: IntoEvent + InngestEvents>(event: E) -> Vec<&'static str> {
        Batch::try_from_iter([event]).unwrap();
        E::EVENTS.iter().map(|event| event.name).collect()
    }

    let page = String::from("p1");
    let viewed: Sent<'_, u16> = Viewed { page: &page }.into();
    assert_eq!(names(&viewed), ["a/viewed", "a/of", "storefront/opened"]);
    assert_eq!(names(Sent::from(Of { id: "x" })), ["a/viewed", "a/of", "storefront/opened"]);
}

#[test]
fn an_enum_that_borrows_can_be_received() {
    #[derive(Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
    #[inngest(name = "a/viewed", id = "viewed-{page}")]
    struct Viewed<'a> {
        page: Cow<'a, str>,
    }

    #[derive(Debug, PartialEq, InngestEvents)]
    enum Received<'a> {
        Viewed(Viewed<'a>),
    }

    let event = receive::<Received<'static>>(r#"{"name":"a/viewed","data":{"page":"p1"}}"#);
    assert_eq!(event, Ok(Received::Viewed(Viewed { page: "p1".into() })));
}
