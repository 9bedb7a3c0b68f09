//! Generated values of the payloads, from a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

#[allow(clippy::wildcard_imports, reason = "nearly all types of that file")]
use crate::payloads::*;

/// A source of values: the same seed yields the same values.
#[derive(Debug)]
pub struct Random {
    rng: fastrand::Rng,
    /// How deep the value that is being generated is nested.
    depth: usize,
}

impl Random {
    /// Makes a source from a seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Random {
        Random { rng: fastrand::Rng::with_seed(seed), depth: 0 }
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.rng.usize(..end)
    }

    /// Returns the number of elements of a collection, which is 0 deep inside a value.
    fn len(&mut self) -> usize {
        if self.depth > 4 { 0 } else { self.rng.usize(..4) }
    }

    /// Generates a value one level deeper.
    fn deeper<T: Sample>(&mut self) -> T {
        self.depth += 1;
        let value = T::sample(self);
        self.depth -= 1;
        value
    }
}

/// A type of which values can be generated.
pub trait Sample: Sized {
    /// Generates a value.
    fn sample(random: &mut Random) -> Self;
}

macro_rules! sample_integers {
    ($($ty:ident)*) => {$(
        impl Sample for $ty {
            fn sample(random: &mut Random) -> $ty {
                match random.below(6) {
                    0 => 0,
                    1 => clamped!($ty::MAX),
                    2 => clamped!($ty::MIN),
                    3 => 1,
                    _ => clamped!(random.rng.$ty(..)),
                }
            }
        }
    )*};
}

/// Inngest rejects integers beyond ±(2^53 - 1).
macro_rules! clamped {
    ($value:expr) => {{
        let value = $value;
        let is_safe = i128::try_from(value).is_ok_and(|value| value.abs() < 1 << 53);
        if is_safe { value } else { 7 }
    }};
}

sample_integers!(i8 i16 i32 i64 u8 u16 u32 u64 usize);

impl Sample for f64 {
    fn sample(random: &mut Random) -> f64 {
        match random.below(5) {
            0 => 0.0,
            1 => -1.5,
            2 => 1e300,
            3 => 3.0,
            _ => random.rng.f64() * 1e6,
        }
    }
}

impl Sample for f32 {
    fn sample(random: &mut Random) -> f32 {
        random.rng.f32() * 100.0
    }
}

impl Sample for bool {
    fn sample(random: &mut Random) -> bool {
        random.rng.bool()
    }
}

impl Sample for char {
    fn sample(random: &mut Random) -> char {
        *random.rng.choice(['a', 'ß', '\n', '"', '\u{1F600}'].iter()).expect("a choice")
    }
}

impl Sample for String {
    fn sample(random: &mut Random) -> String {
        let words = ["", "lamp", "odd key", "größe", "\"\\\n", "🛒 cart", "null", "12", "-7", "*/"];
        match random.below(words.len() + 3) {
            index if index < words.len() => words[index].to_owned(),
            _ => (0..random.below(12)).map(|_| random.rng.alphanumeric()).collect(),
        }
    }
}

impl Sample for () {
    fn sample(_: &mut Random) {}
}

impl<T> Sample for PhantomData<T> {
    fn sample(_: &mut Random) -> PhantomData<T> {
        PhantomData
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(random: &mut Random) -> Option<T> {
        (random.len() > 0).then(|| random.deeper())
    }
}

impl<T: Sample> Sample for Box<T> {
    fn sample(random: &mut Random) -> Box<T> {
        Box::new(random.deeper())
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(random: &mut Random) -> Vec<T> {
        (0..random.len()).map(|_| random.deeper()).collect()
    }
}

impl<T: Sample, const N: usize> Sample for [T; N] {
    fn sample(random: &mut Random) -> [T; N] {
        std::array::from_fn(|_| random.deeper())
    }
}

impl<T: Sample + Ord> Sample for BTreeSet<T> {
    fn sample(random: &mut Random) -> BTreeSet<T> {
        Vec::sample(random).into_iter().collect()
    }
}

impl<K: Sample + Ord, V: Sample> Sample for BTreeMap<K, V> {
    fn sample(random: &mut Random) -> BTreeMap<K, V> {
        Vec::sample(random).into_iter().collect()
    }
}

impl<A: Sample, B: Sample> Sample for (A, B) {
    fn sample(random: &mut Random) -> (A, B) {
        (random.deeper(), random.deeper())
    }
}

impl<A: Sample, B: Sample, C: Sample> Sample for (A, B, C) {
    fn sample(random: &mut Random) -> (A, B, C) {
        (random.deeper(), random.deeper(), random.deeper())
    }
}

impl Sample for Value {
    fn sample(random: &mut Random) -> Value {
        match random.below(6) {
            0 => Value::Null,
            1 => Value::from(bool::sample(random)),
            2 => Value::from(i32::sample(random)),
            3 => Value::from(String::sample(random)),
            4 => Value::Array(Vec::sample(random)),
            _ => Value::Object(serde_json::Map::sample(random)),
        }
    }
}

impl Sample for serde_json::Map<String, Value> {
    fn sample(random: &mut Random) -> serde_json::Map<String, Value> {
        // Inngest reserves the key `_inngest`, which no sample is.
        Vec::<(String, Value)>::sample(random).into_iter().collect()
    }
}

impl Sample for Uuid {
    fn sample(random: &mut Random) -> Uuid {
        Uuid::from_u128(random.rng.u128(..))
    }
}

impl Sample for Decimal {
    fn sample(random: &mut Random) -> Decimal {
        Decimal::new(i64::sample(random), u32::try_from(random.below(6)).expect("a small number"))
    }
}

impl Sample for DateTime<Utc> {
    fn sample(random: &mut Random) -> DateTime<Utc> {
        DateTime::from_timestamp(random.rng.i64(0..4_000_000_000), random.rng.u32(..1_000_000_000))
            .expect("a time")
    }
}

impl Sample for NaiveDate {
    fn sample(random: &mut Random) -> NaiveDate {
        DateTime::sample(random).date_naive()
    }
}

impl Sample for std::time::Duration {
    fn sample(random: &mut Random) -> std::time::Duration {
        std::time::Duration::new(u32::sample(random).into(), random.rng.u32(..1_000_000_000))
    }
}

impl Sample for std::num::NonZeroU16 {
    fn sample(random: &mut Random) -> std::num::NonZeroU16 {
        std::num::NonZeroU16::new(u16::sample(random)).unwrap_or(std::num::NonZeroU16::MIN)
    }
}

/// Generates each field of a struct.
macro_rules! sample_structs {
    ($($ty:ty { $($field:ident),* })*) => {$(
        impl Sample for $ty {
            #[allow(unused_variables, reason = "there may be no fields")]
            fn sample(random: &mut Random) -> $ty {
                Self { $($field: random.deeper()),* }
            }
        }
    )*};
}

/// Chooses one of a number of expressions.
macro_rules! choose {
    ($random:ident: $($value:expr),* $(,)?) => {{
        #[allow(unused_variables, reason = "not every choice is random itself")]
        let choices: &[fn(&mut Random) -> Self] = &[$(|$random| $value),*];
        let index = $random.below(choices.len());
        choices[index]($random)
    }};
}

sample_structs! {
    AccountBooked { account, balance }
    Address { street, city, code }
    AddressChanged { customer, address }
    AnythingHeld { value, object }
    Card { last_digits }
    CartUpdatedV1 { cart_id }
    CartUpdatedV2 { cart_id, revision, lines }
    Category { name, parent, children }
    CategoryMoved { category }
    CommentPosted { number, replies }
    CustomerJoined { id, email, friends, referrer }
    DefaultsFilled { count, list, skipped, read_only, written_only, aliased, inner, option }
    Email { text }
    FieldsRenamed { first_field, odd, quoted, empty, reference, digits, constructor }
    InvoiceSent { id, amount, discount, at, due, took }
    Item { sku, quantity }
    ItemsMerged { item, other }
    KeywordsUsed { r#type, r#match, größe, 名前, class }
    NoteLeft { nested, boxed, listed, unit }
    NumbersCounted { i8, i16, i32, i64, u8, u16, u32, u64, usize, non_zero, f32, f64, bool, char }
    OptionFlattened { id, item, payment }
    OrderPlaced { order_number, line_items, first_item, gift_note, total, pair }
    PageShown<Item, 3> { items, next, matrix }
    Cursor<Item> { after }
    Grid<3> { cells }
    ParcelMoved { step, earlier }
    PaymentTaken { payment, fallback }
    PostalCode { postal_code }
    PriceChanged { price, old }
    RefundMade { order, reason }
    ReviewPosted { verdict }
    RouteTaken { point, named, legs, bytes, empty, of_unit }
    SecretSealed { number, encrypted }
    ShopClosed {}
    ShopOpened {}
    StatusSet { status, color, open, before, earlier }
    StockCounted { by_shelf, by_level, by_color, items, unique }
    StrictItem { sku }
    StrictOrder { number, item }
    Unit {}
    WithDefaults { a, b }
    other::Item { id, inner }
}

impl Sample for i128 {
    fn sample(random: &mut Random) -> i128 {
        random.rng.i128(..)
    }
}

impl Sample for CustomerId {
    fn sample(random: &mut Random) -> CustomerId {
        CustomerId(random.deeper())
    }
}

impl Sample for Leg {
    fn sample(random: &mut Random) -> Leg {
        Leg(random.deeper(), random.deeper())
    }
}

impl<T> Sample for Sealed<T> {
    fn sample(random: &mut Random) -> Sealed<T> {
        let strategy = "inngest/libsodium".to_owned();
        Sealed { encrypted: true, strategy, data: random.deeper(), of: PhantomData }
    }
}

impl Sample for VoucherExpired {
    fn sample(random: &mut Random) -> VoucherExpired {
        let mut codes: Vec<String> = random.deeper();
        codes.push(random.deeper());
        let (code, old_code) = (random.deeper(), random.deeper());
        VoucherExpired { code, old_code, month: random.rng.u8(1..=12), codes }
    }
}

impl Sample for ItemTagged {
    fn sample(random: &mut Random) -> ItemTagged {
        let mut tags: BTreeMap<String, String> = random.deeper();
        // A field and an entry of one name would be a duplicate key.
        tags.remove("sku");
        ItemTagged { sku: random.deeper(), tags }
    }
}

impl Sample for Payment {
    fn sample(random: &mut Random) -> Payment {
        choose!(random:
            Payment::Cash,
            Payment::Voucher,
            Payment::Card(random.deeper()),
            Payment::Split(random.deeper(), random.deeper()),
            Payment::Transfer { iban: random.deeper(), days: random.deeper() },
        )
    }
}

impl Sample for ParcelStep {
    fn sample(random: &mut Random) -> ParcelStep {
        choose!(random:
            ParcelStep::Packed,
            ParcelStep::Delivered(random.deeper()),
            ParcelStep::Lost { last_seen: random.deeper(), claims: random.deeper() },
        )
    }
}

impl Sample for Verdict {
    fn sample(random: &mut Random) -> Verdict {
        choose!(random:
            Verdict::Silent,
            Verdict::Stars(random.deeper()),
            Verdict::Compared(random.deeper(), random.deeper()),
            Verdict::Written { text: random.deeper() },
        )
    }
}

impl Sample for Price {
    fn sample(random: &mut Random) -> Price {
        choose!(random:
            Price::Cents(random.deeper()),
            Price::Text(random.deeper()),
            Price::Range { from: random.deeper(), to: random.deeper() },
            Price::Steps(random.deeper()),
        )
    }
}

impl Sample for Reason {
    fn sample(random: &mut Random) -> Reason {
        choose!(random:
            Reason::Damaged { photos: random.deeper() },
            Reason::WrongItem(random.deeper()),
            Reason::Other,
        )
    }
}

/// Chooses one of an enum's variants without data.
macro_rules! sample_units {
    ($($ty:ident: $($variant:ident)*;)*) => {$(
        impl Sample for $ty {
            fn sample(random: &mut Random) -> $ty {
                let mut variants = [$(Some($ty::$variant)),*];
                let index = random.below(variants.len());
                variants[index].take().expect("each is taken once")
            }
        }
    )*};
}

sample_units! {
    Class: Größe Default;
    Color: Red Green;
    OpenStatus: Known Unknown;
    Status: Pending PaidInFull;
}
