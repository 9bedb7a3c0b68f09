//! Types that cannot be part of a dedup id, each with a compile error that states the reason.
//!
//! Each implementation of `IdSegment` in this file has a bound that the type does not meet. The bound's trait
//! carries the message. It is implemented for `str` alone, so that rustc suggests a type that can be used.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use std::time::SystemTime;

use super::dedup::IdSegment;

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a dedup id: a float has no canonical text",
    label = "a float, whose text depends on how it was computed and printed",
    note = "use an integer (cents rather than euros) or a decimal type (feature `rust_decimal`)"
)]
pub trait CanonicalText {}

impl CanonicalText for str {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a dedup id: every event without a value would share one id",
    label = "has no value when it is `None`",
    note = "all but the first of them would be dropped as duplicates for 24 hours",
    note = "use a field that always has a value; `Event::id` sets the id of a single event"
)]
pub trait AlwaysPresent {}

impl AlwaysPresent for str {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a dedup id: a list has no canonical text",
    label = "holds any number of values",
    note = "use one value that identifies the whole, such as an order's id rather than its items"
)]
pub trait OneValue {}

impl OneValue for str {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a dedup id: a map has no canonical text",
    label = "holds any number of entries, perhaps in any order",
    note = "use one value that identifies the whole, such as an order's id rather than its items"
)]
pub trait OneEntry {}

impl OneEntry for str {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a dedup id: it has no canonical text",
    label = "has no textual form",
    note = "use a time of the `chrono`, `jiff` or `time` features, or a number of milliseconds"
)]
pub trait TextOfTime {}

impl TextOfTime for str {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a dedup id: a JSON value has no fixed type",
    label = "may be null, a list or a map",
    note = "use a field of a specific type, such as a string or an integer"
)]
pub trait KnownShape {}

impl KnownShape for str {}

macro_rules! forbidden {
    ($($reason:ident: $([$($generics:tt)*] $type:ty),* $(,)?;)*) => {$(
        $(
            #[doc(hidden)]
            impl<$($generics)*> IdSegment for $type
            where
                // Without the lifetime, rustc would report the unmet bound here, not where it is used.
                for<'a> $type: $reason,
            {
                fn write_segment(&self, _: &mut dyn fmt::Write) -> fmt::Result {
                    Err(fmt::Error)
                }
            }
        )*
    )*};
}

forbidden! {
    CanonicalText: [] f32, [] f64;
    AlwaysPresent: [T] Option<T>;
    OneValue:
        [T] Vec<T>, [T] [T], [T, const N: usize] [T; N], [T] VecDeque<T>,
        [T] BTreeSet<T>, [T, S] HashSet<T, S>;
    OneEntry: [K, V] BTreeMap<K, V>, [K, V, S] HashMap<K, V, S>;
    TextOfTime: [] SystemTime;
    KnownShape: [] serde_json::Value, [] serde_json::Map<String, serde_json::Value>;
}
