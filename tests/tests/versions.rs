//! Versions of one event, side by side in an enum of events, and in tests of what is sent.

use std::fmt::Debug;

use inngest_core::{Client, Event, InngestEvent, InngestEvents};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}", version = "1")]
struct CartUpdatedV1 {
    cart_id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}", version = "2")]
struct CartUpdatedV2 {
    cart_id: String,
    lines: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-changed-{id}")]
struct CartUpdatedUnversioned {
    id: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/cart.opened", version = "1")]
struct CartOpened {}

#[derive(Clone, Debug, PartialEq, InngestEvents)]
enum Versioned {
    V1(CartUpdatedV1),
    Opened(CartOpened),
    V2(CartUpdatedV2),
}

#[derive(Clone, Debug, PartialEq, InngestEvents)]
enum WithUnversioned {
    V1(CartUpdatedV1),
    Unversioned(CartUpdatedUnversioned),
    V2(CartUpdatedV2),
}

fn v1() -> CartUpdatedV1 {
    CartUpdatedV1 { cart_id: "c1".to_owned() }
}

fn v2() -> CartUpdatedV2 {
    CartUpdatedV2 { cart_id: "c2".to_owned(), lines: 3 }
}

/// Decodes an event with and without its envelope.
fn receive<E>(event: &Value) -> Result<E, String>
where
    E: for<'de> Deserialize<'de> + PartialEq + Debug,
{
    let found = E::deserialize(event).map_err(|error| error.to_string());
    let in_envelope = Event::<E>::deserialize(event).map_err(|error| error.to_string());
    assert_eq!(in_envelope.map(Event::into_data), found);
    found
}

fn cart(v: &Value, data: &Value) -> Value {
    json!({ "data": data, "v": v, "name": "storefront/cart.updated" })
}

#[test]
fn the_version_selects_among_variants_of_one_name() {
    let (data1, data2) = (json!({"cart_id": "c1"}), json!({"cart_id": "c2", "lines": 3}));
    assert_eq!(receive(&cart(&json!("1"), &data1)), Ok(Versioned::V1(v1())));
    assert_eq!(receive(&cart(&json!("2"), &data2)), Ok(Versioned::V2(v2())));
    assert_eq!(
        receive(&cart(&json!("1"), &data2)),
        Ok(Versioned::V1(CartUpdatedV1 { cart_id: "c2".to_owned() }))
    );
    assert_eq!(receive(&cart(&json!("2"), &data2)), Ok(WithUnversioned::V2(v2())));
}

#[test]
fn an_absent_or_unknown_version_selects_the_variant_without_one() {
    let expected = Ok(WithUnversioned::Unversioned(CartUpdatedUnversioned { id: 7 }));
    for v in [json!(null), json!(""), json!("3")] {
        assert_eq!(receive(&cart(&v, &json!({"id": 7}))), expected);
    }
    let without_v = json!({"name": "storefront/cart.updated", "data": {"id": 7}});
    assert_eq!(receive(&without_v), expected);
}

#[test]
fn without_a_variant_for_a_version_the_error_names_the_versions() {
    let error = |v| receive::<Versioned>(&cart(&v, &json!({"cart_id": "c1"}))).unwrap_err();
    assert_eq!(
        error(json!("3")),
        "`storefront/cart.updated` has version `3`, expected one of `1`, `2`"
    );
    assert_eq!(
        error(json!(null)),
        "`storefront/cart.updated` has no version, expected one of `1`, `2`"
    );
    assert_eq!(
        receive::<Versioned>(&json!({"name": "storefront/cart.closed"})).unwrap_err(),
        "unknown event `storefront/cart.closed`, expected one of `storefront/cart.updated`, \
         `storefront/cart.opened`"
    );
}

#[test]
fn an_error_in_the_data_names_the_version() {
    assert_eq!(
        receive::<Versioned>(&cart(&json!("2"), &json!({"cart_id": "c1"}))).unwrap_err(),
        "`data` of `storefront/cart.updated`, version `2`: missing field `lines`"
    );
}

#[test]
fn a_lone_variant_takes_every_version() {
    for v in [json!(null), json!("1"), json!("2"), json!("")] {
        let event = json!({"name": "storefront/cart.opened", "v": v, "data": {}});
        assert_eq!(receive(&event), Ok(Versioned::Opened(CartOpened {})));
    }
    let number = json!({"name": "storefront/cart.opened", "v": 2, "data": {}});
    assert_eq!(Versioned::deserialize(&number).unwrap(), Versioned::Opened(CartOpened {}));
}

#[test]
fn a_value_has_the_name_and_the_dedup_id_of_its_event() {
    let event = Versioned::from(v2());
    assert_eq!(event.event_name(), "storefront/cart.updated");
    assert_eq!(event.event_dedup_id().unwrap().unwrap(), "cart-updated-c2");
    assert_eq!(<&Versioned>::event_dedup_id(&&event).unwrap().unwrap(), "cart-updated-c2");
    assert_eq!(Versioned::from(CartOpened {}).event_dedup_id().unwrap(), None);

    // A single event is a set of one.
    assert_eq!(v1().event_name(), "storefront/cart.updated");
    assert_eq!(Box::new(v1()).event_dedup_id().unwrap().unwrap(), "cart-updated-c1");
    assert!(CartUpdatedV1 { cart_id: String::new() }.event_dedup_id().is_err());
}

#[tokio::test]
async fn the_recorder_selects_events_by_their_version() {
    let (client, sent) = Client::recorder();
    client.send(v1()).await.unwrap();
    sent.none::<CartUpdatedV2>();
    client.send_all([Versioned::from(v2()), v2().into()]).await.unwrap();

    assert_eq!(sent.one::<CartUpdatedV1>().data, v1());
    assert_eq!(sent.exactly(2).of::<CartUpdatedV2>()[1].data, v2());
    sent.exactly(2).matching(|event: &Event<CartUpdatedV2>| event.data.lines == 3);
    sent.nothing_else();
    assert_eq!(sent.all::<CartUpdatedV2>().len(), 2);
    let events = sent.events().into_iter().map(|event| event.decode().unwrap().data);
    assert_eq!(events.collect::<Vec<Versioned>>(), [v1().into(), v2().into(), v2().into()]);
}

#[tokio::test]
async fn events_that_borrow_can_be_decoded_from_the_recorder() {
    #[derive(Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
    #[inngest(name = "storefront/item.viewed", id = "item-viewed-{sku}")]
    struct ItemViewed<'a> {
        sku: &'a str,
        #[serde(borrow)]
        tags: Vec<&'a str>,
    }

    let (client, sent) = Client::recorder();
    let item = ItemViewed { sku: "lamp", tags: vec!["red", "new"] };
    client.send(Event::new(&item).session("visit", "v1")).await.unwrap();

    let events = sent.events();
    let viewed = events[0].decode::<ItemViewed<'_>>().unwrap();
    assert_eq!(viewed.given_id(), Some("item-viewed-lamp"));
    assert_eq!(viewed.sessions().collect::<Vec<_>>(), [("visit", "v1")]);
    assert_eq!(viewed.into_data(), item);
}

#[test]
fn a_version_that_is_a_number_selects_like_its_text() {
    let received = json!({
        "name": "storefront/cart.updated", "v": 2, "data": { "cart_id": "c2", "lines": 3 }
    });
    let bare: Versioned = serde_json::from_value(received.clone()).unwrap();
    assert_eq!(bare, v2().into());
    let event: Event<Versioned> = serde_json::from_value(received.clone()).unwrap();
    assert_eq!((event.given_version(), &event.data), (Some("2"), &v2().into()));
    let event: Event<CartUpdatedV2> = serde_json::from_value(received).unwrap();
    assert_eq!(event.given_version(), Some("2"));
}
