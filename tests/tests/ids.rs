//! Dedup ids are equal if and only if the values are, and never change between releases.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::num::{NonZeroI8, NonZeroU64};

use inngest_core::{DedupId, Deduplicated, EventId, IdSegment, InngestEvent};
use proptest::prelude::*;
use serde::Serialize;

fn id(event: &impl Deduplicated) -> String {
    event.dedup_id().expect("an id can be made").expect("it has a template").into()
}

macro_rules! templates {
    ($($event:ident: $template:literal { $($field:ident: $type:ty),* })*) => {$(
        #[derive(Clone, Debug, PartialEq, Serialize, InngestEvent)]
        #[inngest(name = "a/b", id = $template)]
        struct $event { $($field: $type),* }
    )*};
}

templates! {
    Two: "two-{a}-{b}" { a: String, b: String }
    Three: "three-{a}/{b}, {c}." { a: String, b: String, c: String }
    Quoted: "quoted \"{a}\"\u{301}{b}\"" { a: String, b: String }
    Unicode: "unicode{a}→{b}\0{a}" { a: String, b: String }
    Braces: "braces {{{a}}}{{{b}}}" { a: String, b: String }
    Mixed: "mixed-{a}-{b}-{c}-{d}-{e}" { a: i16, b: String, c: bool, d: char, e: u8 }
    Signs: "signs{a}-{b}+{c}-{d}" { a: i8, b: i8, c: i8, d: i8 }
}

/// Generates texts with the characters that escaping handles, short enough that some are equal.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        8 => prop::sample::select("-%/,. \"{}→\0\u{301}\u{85}ab2D5F".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ];
    prop::collection::vec(character, 1..6)
        .prop_map(|characters| characters.into_iter().collect::<String>())
        .prop_filter("blank values have no id", |text| !is_blank(text))
}

fn is_blank(text: &str) -> bool {
    DedupId::new(text).is_err()
}

fn character() -> impl Strategy<Value = char> {
    prop_oneof![Just('-'), Just('%'), Just('x'), any::<char>()]
        .prop_filter("blank values have no id", |c| !is_blank(&c.to_string()))
}

/// Generates pairs that differ in the offset of a separator or an escape.
fn pair() -> impl Strategy<Value = (String, String)> {
    (text(), text(), 0..8_usize).prop_filter_map("blank values have no id", |(a, b, index)| {
        let all = format!("{a}-{b}");
        let offset = all.char_indices().map(|(offset, _)| offset).nth(index)?;
        let (a, b) = all.split_at(offset);
        let is_usable = !is_blank(a) && !is_blank(b);
        is_usable.then(|| (a.to_owned(), b.to_owned()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..Default::default() })]

    #[test]
    fn two_texts_have_equal_ids_only_if_equal(a in (text(), text()), b in (text(), text())) {
        let two = |(a, b): (String, String)| Two { a, b };
        let (a, b) = (two(a), two(b));
        prop_assert_eq!(a == b, id(&a) == id(&b));
    }

    #[test]
    fn texts_split_at_another_offset_have_equal_ids_only_if_equal(a in pair(), b in pair()) {
        let two = |(a, b): (String, String)| Two { a, b };
        let (a, b) = (two(a), two(b));
        prop_assert_eq!(a == b, id(&a) == id(&b));
    }

    #[test]
    fn three_texts_have_equal_ids_only_if_equal(a in (text(), text(), text()), b in (text(), text(), text())) {
        let three = |(a, b, c): (String, String, String)| Three { a, b, c };
        let (a, b) = (three(a), three(b));
        prop_assert_eq!(a == b, id(&a) == id(&b));
    }

    #[test]
    fn values_around_unusual_separators_have_equal_ids_only_if_equal(a in (text(), text()), b in (text(), text())) {
        let quoted = |(a, b): (String, String)| Quoted { a, b };
        let unicode = |(a, b): (String, String)| Unicode { a, b };
        let braces = |(a, b): (String, String)| Braces { a, b };
        prop_assert_eq!(a == b, id(&quoted(a.clone())) == id(&quoted(b.clone())));
        prop_assert_eq!(a == b, id(&unicode(a.clone())) == id(&unicode(b.clone())));
        prop_assert_eq!(a == b, id(&braces(a.clone())) == id(&braces(b.clone())));
    }

    #[test]
    fn values_of_mixed_types_have_equal_ids_only_if_equal(
        a in (-20..20_i16, text(), any::<bool>(), character(), 0..3_u8),
        b in (-20..20_i16, text(), any::<bool>(), character(), 0..3_u8),
    ) {
        let mixed = |(a, b, c, d, e)| Mixed { a, b, c, d, e };
        let (a, b) = (mixed(a), mixed(b));
        prop_assert_eq!(a == b, id(&a) == id(&b));
    }

    #[test]
    fn signed_integers_have_equal_ids_only_if_equal(
        a in (-2..2_i8, -2..2_i8, -2..2_i8, -2..2_i8),
        b in (-2..2_i8, -2..2_i8, -2..2_i8, -2..2_i8),
    ) {
        let signs = |(a, b, c, d)| Signs { a, b, c, d };
        let (a, b) = (signs(a), signs(b));
        prop_assert_eq!(a == b, id(&a) == id(&b));
    }
}

/// Checks every pair of short texts, in addition to the random ones above.
#[test]
fn all_pairs_of_short_texts_have_different_ids() {
    let alphabet = ["-", "%", "2", "D", "%2D"];
    let mut texts = alphabet.map(str::to_owned).to_vec();
    for a in alphabet {
        texts.extend(alphabet.map(|b| format!("{a}{b}")));
    }
    texts.sort();
    texts.dedup();
    let mut ids = BTreeMap::new();
    for a in &texts {
        for b in &texts {
            let two = Two { a: a.clone(), b: b.clone() };
            if let Some(other) = ids.insert(id(&two), two.clone()) {
                panic!("{two:?} and {other:?} share an id");
            }
        }
    }
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.checkout.completed", id = "cart-checkout-completed-{cart_id}")]
struct CartCheckoutCompleted {
    cart_id: String,
}

/// A value before another placeholder, where it is escaped, and at the end, where it is not.
#[derive(InngestEvent)]
#[inngest(name = "a/b", id = "golden-{value}-{value}")]
struct Golden<T> {
    value: T,
}

impl<T> Serialize for Golden<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

#[derive(IdSegment)]
struct CartId(uuid::Uuid);

#[derive(Serialize, IdSegment)]
#[serde(rename_all = "kebab-case")]
enum State {
    HalfOpen,
}

#[derive(Default)]
struct Ids(String);

impl Ids {
    fn add(&mut self, label: &str, value: impl IdSegment) {
        writeln!(self.0, "{label}: {}", id(&Golden { value }).escape_debug()).unwrap();
    }
}

/// With the offset, the UTC year is beyond the years of the crate `time`. `chrono` represents it, so its id
/// is the model.
#[test]
fn a_time_with_an_offset_has_an_id_up_to_the_last_moment_of_the_crate_time() {
    use time::{Date, OffsetDateTime, Time, UtcOffset};

    let at = |date: Date, time, hours| {
        OffsetDateTime::new_in_offset(date, time, UtcOffset::from_hms(hours, 0, 0).unwrap())
    };
    let latest = Time::from_hms_nano(23, 59, 59, 250_000_000).unwrap();
    for (moment, text) in [
        (at(Date::MAX, latest, 0), "9999-12-31T23:59:59.25Z"),
        (at(Date::MAX, latest, -1), "10000-01-01T00:59:59.25Z"),
        (at(Date::MAX, latest, -25), "10000-01-02T00:59:59.25Z"),
        (at(Date::MIN, Time::MIDNIGHT, 0), "-9999-01-01T00:00:00Z"),
        (at(Date::MIN, Time::MIDNIGHT, 1), "-10000-12-31T23:00:00Z"),
        (at(Date::MIN, Time::MIDNIGHT, 25), "-10000-12-30T23:00:00Z"),
    ] {
        assert_eq!(
            id(&Golden { value: moment }),
            format!("golden-{}-{text}", text.replace('-', "%2D"))
        );
    }

    let last =
        chrono::NaiveDate::from_ymd_opt(9999, 12, 31).unwrap().and_hms_milli_opt(23, 59, 59, 250);
    let west = chrono::FixedOffset::west_opt(3600).unwrap();
    let by_chrono = last.unwrap().and_local_timezone(west).unwrap();
    assert_eq!(id(&Golden { value: by_chrono }), id(&Golden { value: at(Date::MAX, latest, -1) }));
}

/// If an id changed between two releases, functions would run a second time for the same event. So no
/// test writes the golden file: its content is a promise.
#[test]
fn golden_ids_never_change() {
    let mut ids = Ids::default();
    let example = CartCheckoutCompleted { cart_id: "ed12c8bde".to_owned() };
    writeln!(ids.0, "the documentation's example: {}", id(&example)).unwrap();

    ids.add("str", "ed12c8bde");
    ids.add("str with a separator", "a-b");
    ids.add("str with escapes", "50%-%2D");
    ids.add("str with unicode", "größe → 購物車 🛒");
    ids.add("str with quotes and controls", "\"a\"\\\0\u{7}b");
    ids.add("str with white space", " a b\t");
    ids.add("String", "a/b".to_owned());
    ids.add("Cow", std::borrow::Cow::Borrowed("a-b"));
    ids.add("char", '-');
    ids.add("bool", true);
    ids.add("u8", u8::MAX);
    ids.add("i8", i8::MIN);
    ids.add("u64", u64::MAX);
    ids.add("i64", i64::MIN);
    ids.add("u128", u128::MAX);
    ids.add("i128", i128::MIN);
    ids.add("usize", 0_usize);
    ids.add("NonZeroU64", NonZeroU64::MIN);
    ids.add("NonZeroI8", NonZeroI8::MIN);
    ids.add("Arc of a u16", std::sync::Arc::new(7_u16));
    ids.add("fieldless enum", State::HalfOpen);

    let uuid = uuid::Uuid::from_u128(0x67E5_5044_10B1_426F_9247_BB68_0E5F_E0C8);
    ids.add("uuid", uuid);
    ids.add("newtype of a uuid", CartId(uuid));
    ids.add("ulid", ulid::Ulid::from(0x0156_3E3A_B5D3_D676_4C61_EFB9_9302_BD5B_u128));

    let decimal = rust_decimal::Decimal::new;
    ids.add("decimal 10.50", decimal(1050, 2));
    ids.add("decimal 10.5", decimal(105, 1));
    ids.add("decimal 100", decimal(100, 0));
    ids.add("decimal 100.00", decimal(10_000, 2));
    ids.add("decimal -0.00", -decimal(0, 2));
    ids.add("decimal -0.001", decimal(-1, 3));

    chrono_ids(&mut ids);
    jiff_ids(&mut ids);
    time_ids(&mut ids);

    let golden = include_str!("../golden/ids.txt");
    for (made, golden) in ids.0.lines().zip(golden.lines()) {
        assert_eq!(made, golden);
    }
    assert_eq!(ids.0, golden);
}

/// 2026-11-01 at 22:30 UTC, which is 23:30 in Berlin.
const INSTANT: i64 = 1_793_572_200;

fn chrono_ids(ids: &mut Ids) {
    use chrono::{DateTime, FixedOffset, NaiveDate};

    let utc = DateTime::from_timestamp(INSTANT, 0).unwrap();
    ids.add("chrono utc", utc);
    ids.add("chrono with an offset", utc.with_timezone(&FixedOffset::east_opt(3600).unwrap()));
    ids.add("chrono with 250 ms", DateTime::from_timestamp(INSTANT, 250_000_000).unwrap());
    ids.add(
        "chrono with a leap second",
        DateTime::from_timestamp(1_483_228_799, 1_500_000_000).unwrap(),
    );
    ids.add("chrono with 1 ns", DateTime::from_timestamp(INSTANT, 1).unwrap());
    ids.add("chrono date", NaiveDate::from_ymd_opt(2026, 3, 9).unwrap());
    ids.add("chrono before the common era", NaiveDate::from_ymd_opt(-44, 3, 15).unwrap());
}

macro_rules! jiff_ids {
    ($name:ident, $jiff:ident, $to_zoned:ident) => {
        fn $name(ids: &mut Ids) {
            use $jiff::Timestamp;
            use $jiff::civil::date;
            use $jiff::tz::{TimeZone, offset};

            let utc = Timestamp::from_second(INSTANT).unwrap();
            ids.add("jiff timestamp", utc);
            ids.add("jiff zoned", utc.$to_zoned(TimeZone::fixed(offset(1))));
            ids.add("jiff with 250 ms", Timestamp::new(INSTANT, 250_000_000).unwrap());
            ids.add("jiff date", date(2026, 3, 9));
            ids.add("jiff before the common era", date(-44, 3, 15));
        }
    };
}

jiff_ids!(jiff_ids, jiff, to_zoned_datetime);
jiff_ids!(jiff02_ids, jiff02, to_zoned);

#[test]
fn both_versions_of_jiff_have_the_same_ids() {
    let (mut ids, mut ids_of_02) = (Ids::default(), Ids::default());
    jiff_ids(&mut ids);
    jiff02_ids(&mut ids_of_02);
    assert_eq!(ids.0, ids_of_02.0);
}

fn time_ids(ids: &mut Ids) {
    use time::{Date, Duration, Month, OffsetDateTime, UtcDateTime, UtcOffset};

    let utc = OffsetDateTime::from_unix_timestamp(INSTANT).unwrap();
    ids.add("time utc", utc);
    ids.add("time with an offset", utc.to_offset(UtcOffset::from_hms(1, 0, 0).unwrap()));
    ids.add("time with 250 ms", utc + Duration::milliseconds(250));
    ids.add("time UtcDateTime", UtcDateTime::from_unix_timestamp(INSTANT).unwrap());
    ids.add("time date", Date::from_calendar_date(2026, Month::March, 9).unwrap());
    ids.add("time before the common era", Date::from_calendar_date(-44, Month::March, 15).unwrap());
}

#[test]
fn a_set_of_ids_is_searched_by_text() {
    let ids = HashSet::from([DedupId::new("item-viewed-1").expect("an id")]);
    assert!(ids.contains("item-viewed-1"));
    assert!(!ids.contains("item-viewed-2"));
}

#[test]
fn an_event_id_is_read_from_text_only() {
    let id: EventId = serde_json::from_str(r#""01JEXAMPLE""#).expect("an id");
    assert_eq!(id.as_str(), "01JEXAMPLE");
    let error = serde_json::from_str::<EventId>("7").expect_err("a number");
    assert!(error.to_string().contains("expected an event id"), "{error}");
}
