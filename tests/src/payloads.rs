//! Events of every shape that serde can give to data, for the tests of the catalog.
#![allow(missing_docs, reason = "the shapes are the point; documented fields test descriptions")]
#![allow(clippy::struct_excessive_bools, clippy::option_option, reason = "shapes of real payloads")]
#![allow(rustdoc::invalid_html_tags, reason = "exports must escape such text")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use inngest_core::{InngestEvent, InngestEvents};
use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Lists the payload types.
macro_rules! payloads {
    ($($ty:ident,)*) => {
        /// All payloads of this file, as one enum of events.
        #[derive(Debug, Serialize, InngestEvents)]
        #[serde(untagged)]
        #[allow(clippy::large_enum_variant, reason = "only the tests hold values of it")]
        pub enum PayloadEvent {
            $($ty($ty),)*
        }

        /// Calls `visitor` with every payload type of this file.
        pub fn visit_payloads(visitor: &mut impl PayloadVisitor) {
            $(visitor.visit::<$ty>();)*
        }
    };
}

/// A function of a payload type.
pub trait PayloadVisitor {
    /// Called with each payload type.
    fn visit<E>(&mut self)
    where
        E: InngestEvent + JsonSchema + for<'de> Deserialize<'de> + crate::Sample + std::fmt::Debug;
}

payloads! {
    AccountBooked, AddressChanged, AnythingHeld, CartUpdatedV1, CartUpdatedV2, CategoryMoved,
    CommentPosted, CustomerJoined, DefaultsFilled, FieldsRenamed, InvoiceSent, ItemPage, ItemTagged,
    ItemsMerged, KeywordsUsed, NoteLeft, NumbersCounted, OptionFlattened, OrderPlaced,
    ParcelMoved, PaymentTaken, PriceChanged, RefundMade, ReviewPosted,
    RouteTaken, SecretSealed, ShopClosed, ShopOpened, StatusSet, StockCounted, StrictOrder,
    VoucherExpired,
}

/// The first version of a cart.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}", version = "1")]
pub struct CartUpdatedV1 {
    pub cart_id: String,
}

/// A cart has changed.
///
/// Sent at most once a second for each cart.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(
    name = "storefront/cart.updated",
    id = "cart-revised-{cart_id}-{revision}",
    version = "2"
)]
pub struct CartUpdatedV2 {
    /// The id of the cart.
    pub cart_id: String,
    /// The number of the change.
    pub revision: u32,
    pub lines: Vec<Item>,
}

/// An item of the shop.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The stock keeping unit.
    pub sku: String,
    /// How many.
    pub quantity: u16,
}

/// An order was placed.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[serde(rename_all = "camelCase")]
#[inngest(
    name = "storefront/order.placed",
    id = "order-placed-{order_number}",
    version = "2026-11-01.1"
)]
pub struct OrderPlaced {
    pub order_number: u32,
    pub line_items: Vec<Item>,
    pub first_item: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gift_note: Option<String>,
    pub total: f64,
    /// Two items that are bought together.
    pub pair: [Item; 2],
}

/// The shop opened. There is nothing else to say.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/shop.opened")]
pub struct ShopOpened;

#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/shop.closed")]
pub struct ShopClosed {}

/// Externally tagged.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/payment.taken")]
pub struct PaymentTaken {
    pub payment: Payment,
    pub fallback: Option<Payment>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    Cash,
    Voucher,
    /// By card.
    Card(Card),
    Split(u32, String),
    Transfer {
        iban: String,
        days: u8,
    },
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    pub last_digits: String,
}

/// Internally tagged.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/parcel.moved")]
pub struct ParcelMoved {
    pub step: ParcelStep,
    pub earlier: Vec<ParcelStep>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
pub enum ParcelStep {
    Packed,
    /// At an address.
    Delivered(Address),
    Lost {
        last_seen: String,
        claims: Option<u8>,
    },
}

/// Adjacently tagged.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/review.posted")]
pub struct ReviewPosted {
    pub verdict: Verdict,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
pub enum Verdict {
    Silent,
    Stars(u8),
    Compared(Item, Item),
    Written { text: String },
}

/// Untagged.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/price.changed")]
pub struct PriceChanged {
    pub price: Price,
    pub old: Option<Price>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Price {
    Cents(u32),
    Text(String),
    Range { from: u32, to: u32 },
    Steps(Vec<u32>),
}

/// A flattened struct, twice.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/address.changed")]
pub struct AddressChanged {
    pub customer: String,
    #[serde(flatten)]
    pub address: Address,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// The street, with the number.
    pub street: String,
    pub city: Option<String>,
    #[serde(flatten)]
    pub code: PostalCode,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostalCode {
    pub postal_code: String,
}

/// A flattened map.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/item.tagged")]
pub struct ItemTagged {
    pub sku: String,
    #[serde(flatten)]
    pub tags: BTreeMap<String, String>,
}

/// A flattened enum.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/refund.made")]
pub struct RefundMade {
    pub order: u32,
    #[serde(flatten)]
    pub reason: Reason,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Reason {
    Damaged { photos: Vec<String> },
    WrongItem(Item),
    Other,
}

/// A flattened option.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/option.flattened")]
pub struct OptionFlattened {
    pub id: u32,
    #[serde(flatten)]
    pub item: Option<Item>,
    #[serde(flatten)]
    pub payment: Payment,
}

/// Tuples and arrays.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/route.taken")]
pub struct RouteTaken {
    pub point: (f64, f64),
    pub named: (String, u8, Option<bool>),
    pub legs: Vec<Leg>,
    pub bytes: [u8; 4],
    pub empty: (),
    pub of_unit: Unit,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Leg(pub String, pub u32);

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Unit;

/// Options of options.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/note.left")]
pub struct NoteLeft {
    pub nested: Option<Option<u8>>,
    pub boxed: Option<Box<Option<Item>>>,
    pub listed: Vec<Option<Vec<Option<String>>>>,
    pub unit: Option<Unit>,
}

/// A recursive type.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/category.moved")]
pub struct CategoryMoved {
    pub category: Category,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Category {
    pub name: String,
    pub parent: Option<Box<Category>>,
    pub children: Vec<Category>,
}

/// A payload that contains itself.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/comment.posted", id = "comment-posted-{number}")]
pub struct CommentPosted {
    pub number: u32,
    pub replies: Vec<CommentPosted>,
}

/// A generic payload with a const parameter.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/page.of-items")]
pub struct PageShown<T, const N: usize> {
    pub items: Vec<T>,
    pub next: Option<Cursor<T>>,
    pub matrix: Grid<N>,
}

/// A page of items.
pub type ItemPage = PageShown<Item, 3>;

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Cursor<T> {
    pub after: T,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Grid<const N: usize> {
    pub cells: Vec<u8>,
}

/// Maps whose keys are numbers, and sets.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "warehouse/stock.counted")]
pub struct StockCounted {
    pub by_shelf: BTreeMap<u32, i64>,
    pub by_level: BTreeMap<i8, String>,
    pub by_color: BTreeMap<Color, u8>,
    pub items: BTreeMap<String, Item>,
    pub unique: BTreeSet<u8>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    Red,
    Green,
}

/// Newtypes.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/customer.joined")]
pub struct CustomerJoined {
    pub id: CustomerId,
    pub email: Email,
    pub friends: Vec<CustomerId>,
    pub referrer: Option<Email>,
}

/// The id of a customer.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct CustomerId(pub u32);

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Email {
    pub text: String,
}

/// Decimals, times and uuids.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "billing/invoice.sent", id = "invoice-sent-{id}")]
pub struct InvoiceSent {
    pub id: Uuid,
    pub amount: Decimal,
    pub discount: Option<Decimal>,
    pub at: DateTime<Utc>,
    pub due: NaiveDate,
    pub took: std::time::Duration,
}

/// Numbers that are sent as strings.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "billing/account.booked")]
pub struct AccountBooked {
    /// The account's number.
    #[serde(with = "inngest_core::as_string")]
    pub account: u64,
    #[serde(with = "inngest_core::as_string")]
    pub balance: i128,
}

/// Names that differ from Rust's.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
#[inngest(name = "storefront/fields.renamed")]
pub struct FieldsRenamed {
    pub first_field: bool,
    #[serde(rename = "odd key")]
    pub odd: u8,
    #[serde(rename = "quoted\"\\key")]
    pub quoted: u8,
    #[serde(rename = "")]
    pub empty: u8,
    #[serde(rename = "$key")]
    pub reference: String,
    #[serde(rename = "12")]
    pub digits: u8,
    #[serde(rename = "constructor")]
    pub constructor: u8,
}

/// Deprecated fields, and text that needs care: `*/` and | and <b>.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/voucher.expired")]
pub struct VoucherExpired {
    pub code: String,
    /// Use `code` | it is `*/` the same.
    #[schemars(extend("deprecated" = true))]
    pub old_code: Option<String>,
    #[schemars(extend("examples" = [1, 2]), range(min = 1, max = 12))]
    pub month: u8,
    #[schemars(length(min = 1))]
    pub codes: Vec<String>,
}

/// Identifiers that are keywords, or not ASCII.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/keywords.used")]
pub struct KeywordsUsed {
    pub r#type: String,
    pub r#match: u8,
    pub größe: u8,
    pub 名前: Option<String>,
    pub class: Class,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub enum Class {
    Größe,
    r#Default,
}

/// Enums of texts.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/status.set")]
pub struct StatusSet {
    pub status: Status,
    pub color: Color,
    pub open: OpenStatus,
    pub before: Option<Color>,
    pub earlier: Option<Status>,
}

/// The status of an order.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing was paid.
    Pending,
    /// All was paid.
    PaidInFull,
}

/// More may be added.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-open" = true))]
pub enum OpenStatus {
    Known,
    Unknown,
}

/// Numbers of every width.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/numbers.counted")]
pub struct NumbersCounted {
    pub i8: i8,
    pub i16: i16,
    pub i32: i32,
    pub i64: i64,
    pub u8: u8,
    pub u16: u16,
    pub u32: u32,
    pub u64: u64,
    pub usize: usize,
    pub non_zero: std::num::NonZeroU16,
    pub f32: f32,
    pub f64: f64,
    pub bool: bool,
    pub char: char,
}

/// Fields that are not always there.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/defaults.filled")]
pub struct DefaultsFilled {
    #[serde(default)]
    pub count: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<String>,
    #[serde(skip)]
    pub skipped: u8,
    #[serde(skip_serializing, default)]
    pub read_only: u8,
    #[serde(skip_deserializing)]
    pub written_only: u8,
    #[serde(alias = "other")]
    pub aliased: u8,
    pub inner: WithDefaults,
    pub option: Option<u8>,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WithDefaults {
    pub a: u8,
    pub b: String,
}

/// Fields that are not known are refused.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[serde(deny_unknown_fields)]
#[inngest(name = "storefront/order.strict")]
pub struct StrictOrder {
    pub number: u32,
    pub item: StrictItem,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrictItem {
    pub sku: String,
}

/// Any JSON.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/anything.held")]
pub struct AnythingHeld {
    pub value: serde_json::Value,
    pub object: serde_json::Map<String, serde_json::Value>,
}

/// Two inner types of one name.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/items.merged")]
pub struct ItemsMerged {
    pub item: Item,
    pub other: other::Item,
}

/// Types whose names are taken in this file.
pub mod other {
    use super::{Deserialize, JsonSchema, Serialize};

    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    pub struct Item {
        pub id: u32,
        pub inner: Option<Box<Item>>,
    }
}

/// An encrypted field, as the feature `encryption` describes it.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "billing/secret.sealed")]
pub struct SecretSealed {
    pub number: u32,
    /// Who pays.
    pub encrypted: Sealed<Card>,
}

/// A value that is encrypted on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sealed<T> {
    #[serde(rename = "__ENCRYPTED__")]
    pub encrypted: bool,
    #[serde(rename = "__STRATEGY__")]
    pub strategy: String,
    pub data: String,
    #[serde(skip)]
    pub of: std::marker::PhantomData<T>,
}

impl<T: JsonSchema> JsonSchema for Sealed<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<T>();
        if schema.as_object().is_none() {
            schema = json_schema!({});
        }
        schema.insert("x-inngest-encrypted".to_owned(), true.into());
        schema
    }
}
