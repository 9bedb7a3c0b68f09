//! The derive `InngestEvent`: constants, dedup ids and segments.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use inngest_core::{DedupId, Deduplicated, Event, EventError, IdSegment, InngestEvent};
use serde::Serialize;

fn id(event: &impl Deduplicated) -> String {
    event.dedup_id().expect("an id can be made").expect("it has a template").into()
}

/// Serializes the target of a pointer, since serde implements `Rc` and `Arc` only with a feature.
fn pointed_to<P, S>(pointer: &P, serializer: S) -> Result<S::Ok, S::Error>
where
    P: std::ops::Deref<Target: Serialize>,
    S: serde::Serializer,
{
    pointer.deref().serialize(serializer)
}

#[derive(Serialize, InngestEvent)]
#[inngest(
    name = "storefront/cart.checkout.completed",
    id = "cart-checkout-completed-{cart_id}",
    version = "2026-11-01.1"
)]
struct CartCheckoutCompleted {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/started")]
struct Started;

#[test]
fn the_name_the_version_and_the_template_are_constants() {
    assert_eq!(CartCheckoutCompleted::NAME, "storefront/cart.checkout.completed");
    assert_eq!(CartCheckoutCompleted::VERSION, Some("2026-11-01.1"));
    assert_eq!(CartCheckoutCompleted::ID_TEMPLATE, Some("cart-checkout-completed-{cart_id}"));
    assert_eq!(<&CartCheckoutCompleted>::NAME, CartCheckoutCompleted::NAME);

    assert_eq!(Started::NAME, "storefront/started");
    assert_eq!(Started::VERSION, None);
    assert_eq!(Started::ID_TEMPLATE, None);
}

#[test]
fn the_documentations_example_has_the_documented_id() {
    let checkout = CartCheckoutCompleted { cart_id: "ed12c8bde".to_owned() };
    assert_eq!(id(&checkout), "cart-checkout-completed-ed12c8bde");
    assert_eq!(id(&&checkout), "cart-checkout-completed-ed12c8bde");
    assert_eq!(id(&Box::new(checkout)), "cart-checkout-completed-ed12c8bde");
}

#[test]
fn the_name_can_be_a_constant() {
    mod names {
        pub(super) const USED: &str = "storefront/coupon.used";
        pub(super) const CHECKED: &str = "storefront/checked";
    }

    #[derive(Serialize, InngestEvent)]
    #[inngest(name = names::USED, id = "coupon-used-{code}")]
    struct CouponUsed<T> {
        code: T,
    }

    #[derive(Serialize, InngestEvent)]
    #[inngest(name = names::CHECKED)]
    struct Checked;

    assert_eq!(CouponUsed::<u8>::NAME, "storefront/coupon.used");
    assert_eq!(Checked::NAME, "storefront/checked");
    assert_eq!(id(&CouponUsed { code: 7 }), "coupon-used-7");
    let blank = CouponUsed { code: "" }.dedup_id().unwrap_err();
    assert!(blank.to_string().contains("`storefront/coupon.used`"), "{blank}");
}

#[test]
fn an_event_without_a_template_has_no_id() {
    assert_eq!(Started.dedup_id().unwrap(), None);
}

#[test]
fn a_single_placeholder_is_not_escaped() {
    let checkout = CartCheckoutCompleted { cart_id: "50 %-\u{0}ü".to_owned() };
    assert_eq!(id(&checkout), "cart-checkout-completed-50 %-\u{0}ü");
}

#[test]
fn a_blank_value_is_an_error_that_names_its_field() {
    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "storefront/cart.shared", id = "cart-shared-{by.name}-{with}")]
    struct CartShared {
        by: Person,
        with: String,
    }

    #[derive(Serialize)]
    struct Person {
        name: &'static str,
    }

    let blank_field = |name, with: &str| {
        let event = CartShared { by: Person { name }, with: with.to_owned() };
        match event.dedup_id() {
            Err(EventError::BlankIdSegment { event: "storefront/cart.shared", field }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(blank_field("", "x"), "by.name");
    assert_eq!(blank_field("\u{3000}\n", "x"), "by.name");
    assert_eq!(blank_field("x", " "), "with");

    let event = CartShared { by: Person { name: "" }, with: "x".to_owned() };
    let error = event.dedup_id().unwrap_err().to_string();
    assert!(error.contains("`by.name` of `storefront/cart.shared`"), "{error}");
    assert!(error.contains("is blank"), "{error}");
}

#[test]
fn a_value_of_invisible_characters_is_blank() {
    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "storefront/cart.opened", id = "cart-opened-{cart_id}-{letter}")]
    struct CartOpened {
        cart_id: &'static str,
        letter: char,
    }

    let blank_field = |cart_id, letter| match (CartOpened { cart_id, letter }).dedup_id() {
        Ok(_) => None,
        Err(EventError::BlankIdSegment { field, .. }) => Some(field),
        Err(other) => panic!("{other:?}"),
    };
    for invisible in [
        "\u{200b}",
        "\u{2060}",
        "\u{feff}",
        "\u{ad}",
        "\u{34f}",
        "\u{61c}\u{200e}\u{200f}\u{202e}\u{2066}\u{2069}",
        "\u{fe0f}\u{180e}\u{e0100}\u{e0020}",
        "\u{115f}\u{1160}\u{3164}\u{ffa0}",
        "\u{2800}",
        "\0\u{1b}\u{7f}\u{85}",
        " \u{200d}\n\u{3000}",
    ] {
        assert_eq!(blank_field(invisible, 'x'), Some("cart_id"), "{invisible:?}");
        assert_eq!(blank_field("c1", invisible.chars().next().unwrap()), Some("letter"));
    }
    for visible in ["c1", "\u{feff}c1", "0", "-", "\u{301}", "🛒\u{fe0f}", "한", "\u{600}"] {
        assert_eq!(blank_field(visible, '\u{301}'), None, "{visible:?}");
    }
}

#[test]
fn doubled_braces_are_literal_and_placeholders_are_rust_field_names() {
    #[derive(Serialize, InngestEvent)]
    #[serde(rename_all = "camelCase")]
    #[inngest(name = "a/b", id = r#"a"{{b}}-{type}:}}-{größe}"#)]
    struct Braces {
        r#type: u8,
        größe: u8,
    }

    assert_eq!(id(&Braces { r#type: 1, größe: 2 }), "a\"{b}-1:}-2");
}

#[test]
fn placeholders_are_identifiers_of_any_script_and_normal_form() {
    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "a/b", id = "a-{हिन्दी}-{ชื่อ}-{col·lecció}-{inner.größe}-{gro\u{308}ße}")]
    struct Scripts {
        हिन्दी: u8,
        ชื่อ: u8,
        col·lecció: u8,
        inner: Inner,
        größe: u8,
    }

    #[derive(Serialize)]
    struct Inner {
        größe: u8,
    }

    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "a/b", id = "a-{gro\u{308}ße}")]
    struct Decomposed {
        größe: u8,
    }

    let inner = Inner { größe: 4 };
    let scripts =
        Scripts { हिन्दी: 1, ชื่อ: 2, col·lecció: 3, inner, größe: 5 };
    assert_eq!(id(&scripts), "a-1-2-3-4-5");
    assert_eq!(id(&Decomposed { größe: 6 }), "a-6");
}

#[test]
fn a_field_can_be_used_twice_in_a_template() {
    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "a/b", id = "a-{a}-{a}/{a}-{{{a}}}")]
    struct Twice {
        a: &'static str,
    }

    assert_eq!(id(&Twice { a: "x-/%" }), "a-x%2D/%25-x-%2F%25/x%2D/%25-{x-/%}");
}

#[test]
fn field_paths_go_through_structs_pointers_and_tuple_structs() {
    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "a/b", id = "a-{cart.account.id}-{cart.price.0}-{shared.id}")]
    struct Nested {
        cart: Box<Cart>,
        #[serde(serialize_with = "pointed_to")]
        shared: Arc<Account>,
    }

    #[derive(Serialize)]
    struct Cart {
        account: Account,
        price: Price,
    }

    #[derive(Serialize)]
    struct Account {
        id: &'static str,
    }

    #[derive(Serialize)]
    struct Price(u32);

    let cart = Box::new(Cart { account: Account { id: "a-1" }, price: Price(5) });
    let nested = Nested { cart, shared: Arc::new(Account { id: "a-2" }) };
    assert_eq!(id(&nested), "a-a%2D1-5-a-2");
}

#[test]
fn references_and_smart_pointers_are_written_as_their_target() {
    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "a/b", id = "a-{a}-{b}-{c}-{d}-{e}-{f}")]
    struct Pointers<'a> {
        a: &'a &'a str,
        b: Cow<'a, str>,
        c: Box<u8>,
        #[serde(serialize_with = "pointed_to")]
        d: Rc<str>,
        e: &'a char,
        f: &'a mut String,
    }

    let mut f = "f".to_owned();
    let event =
        Pointers { a: &"a", b: "b".into(), c: Box::new(3), d: "d".into(), e: &'-', f: &mut f };
    assert_eq!(id(&event), "a-a-b-3-d-%2D-f");
}

#[test]
fn a_type_parameter_is_a_segment_if_its_argument_is() {
    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "a/b", id = "a-{id}-{page}")]
    struct Viewed<T, const N: usize> {
        id: T,
        page: u8,
        #[serde(skip)]
        _rest: [T; N],
    }

    assert_eq!(id(&Viewed { id: "x-y", page: 1, _rest: ["z"] }), "a-x%2Dy-1");
    assert_eq!(id(&Viewed { id: -1, page: 1, _rest: [] }), "a--1-1");
}

#[test]
fn a_newtype_is_written_as_its_field() {
    #[derive(Serialize, IdSegment)]
    struct CartId(String);

    #[derive(Serialize, IdSegment)]
    struct Line {
        number: u32,
    }

    #[derive(Serialize, IdSegment)]
    struct Id<T>(u64, std::marker::PhantomData<T>);

    #[derive(Clone, Copy, Serialize, IdSegment)]
    #[repr(C, packed)]
    struct Packed(u8, std::marker::PhantomData<u64>);

    #[derive(Serialize)]
    struct Account;

    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "a/b", id = "a-{cart}-{line}-{account}-{packed}-{end}")]
    struct Lines {
        packed: Packed,
        cart: CartId,
        line: Line,
        account: Id<Account>,
        end: CartId,
    }

    const {
        assert!(!CartId::SELF_DELIMITING);
        assert!(Line::SELF_DELIMITING);
        assert!(Id::<Account>::SELF_DELIMITING);
    }
    let event = Lines {
        cart: CartId("c-1".to_owned()),
        line: Line { number: 2 },
        account: Id(3, std::marker::PhantomData),
        packed: Packed(5, std::marker::PhantomData),
        end: CartId("c-4".to_owned()),
    };
    assert_eq!(id(&event), "a-c%2D1-2-3-5-c-4");
}

/// A variant of a fieldless enum is written as serde serializes it.
#[test]
fn a_variant_is_written_as_its_serde_name() {
    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "a/b", id = "a-{state}")]
    struct Moved<S: Serialize> {
        state: S,
    }

    fn id_of_state<S: Serialize + IdSegment>(state: S) -> String {
        let json = serde_json::to_value(&state).unwrap();
        let id = id(&Moved { state });
        assert_eq!(id.strip_prefix("a-"), json.as_str());
        id
    }

    macro_rules! with_each_rule {
        ($($rule:literal),*) => {$({
            #[derive(Serialize, IdSegment)]
            #[serde(rename_all = $rule)]
            #[allow(non_camel_case_types)]
            enum State {
                Open,
                HalfOpen,
                HTTPClosed,
                r#type,
                Größe2,
                Under_Score,
                #[serde(rename = "other one")]
                Renamed,
                #[serde(rename(serialize = "out", deserialize = "in"))]
                Both,
                #[serde(alias = "x", rename(deserialize = "in2"))]
                Other,
            }

            id_of_state(State::Open);
            id_of_state(State::HalfOpen);
            id_of_state(State::HTTPClosed);
            id_of_state(State::r#type);
            id_of_state(State::Größe2);
            id_of_state(State::Under_Score);
            assert_eq!(id_of_state(State::Renamed), "a-other one");
            assert_eq!(id_of_state(State::Both), "a-out");
            id_of_state(State::Other);
        })*};
    }

    with_each_rule!(
        "lowercase",
        "UPPERCASE",
        "PascalCase",
        "camelCase",
        "snake_case",
        "SCREAMING_SNAKE_CASE",
        "kebab-case",
        "SCREAMING-KEBAB-CASE"
    );

    #[derive(Serialize, IdSegment)]
    #[serde(rename_all(serialize = "kebab-case", deserialize = "UPPERCASE"))]
    enum OneWay {
        HalfOpen,
    }
    assert_eq!(id_of_state(OneWay::HalfOpen), "a-half-open");

    #[derive(Serialize, IdSegment)]
    enum AsWritten {
        HalfOpen = 3,
    }
    assert_eq!(id_of_state(AsWritten::HalfOpen), "a-HalfOpen");
}

#[test]
fn an_envelope_keeps_replaces_or_removes_the_dedup_id() {
    let checkout = CartCheckoutCompleted { cart_id: "c1".to_owned() };
    let mut batch = inngest_core::Batch::new();
    batch.push(&checkout).unwrap();
    batch.push(Event::new(&checkout).id("other")).unwrap();
    batch.push(Event::new(&checkout).without_id()).unwrap();
    assert_eq!(batch.len(), 3);
}

#[test]
fn an_error_of_a_hand_written_segment_names_its_field() {
    #[derive(Serialize)]
    struct Never;

    impl IdSegment for Never {
        fn write_segment(&self, _: &mut dyn std::fmt::Write) -> std::fmt::Result {
            Err(std::fmt::Error)
        }
    }

    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "a/b", id = "a-{a}")]
    struct Failing {
        a: Never,
    }

    let error = Failing { a: Never }.dedup_id().unwrap_err();
    assert!(matches!(error, EventError::IdSegment { event: "a/b", field: "a" }), "{error:?}");
}

#[test]
fn a_dedup_id_can_be_built_by_hand() {
    assert!(matches!(DedupId::new(" "), Err(EventError::BlankId)));
    assert_eq!(DedupId::new("a-1").unwrap(), "a-1");
}
