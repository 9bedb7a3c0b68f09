//! Why a type may not stand in a dedup id: a sentence for each kind people try.
//!
//! Each `IdSegment` here has a bound that is never met. Its trait has the sentence, and is
//! implemented for `str` alone, so that the compiler names a type that would do.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use std::time::SystemTime;

use super::IdSegment;

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a dedup id: a float has no canonical text",
    label = "a float, whose text depends on how it was computed and printed",
    note = "use an integer (cents rather than euros) or a decimal type (feature `rust_decimal`)"
)]
pub trait CanonicalText {}

impl CanonicalText for str {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a dedup id: every event without a value would share one id",
    label = "has no value when it is `None`",
    note = "all but the first of them would be dropped as duplicates for 24 hours",
    note = "use a field that is always there; `Event::id` gives a single event an id of its own"
)]
pub trait AlwaysPresent {}

impl AlwaysPresent for str {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a dedup id: a list has no canonical text",
    label = "holds any number of values",
    note = "use one value that names the whole, such as an order's id rather than its items"
)]
pub trait OneValue {}

impl OneValue for str {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a dedup id: a map has no canonical text",
    label = "holds any number of entries, perhaps in any order",
    note = "use one value that names the whole, such as an order's id rather than its items"
)]
pub trait OneEntry {}

impl OneEntry for str {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a dedup id: it has no text of its own",
    label = "has no canonical text",
    note = "use a time of the `chrono`, `jiff` or `time` features, or a number of milliseconds"
)]
pub trait TextOfTime {}

impl TextOfTime for str {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a dedup id: JSON can be anything",
    label = "may be null, a list or a map",
    note = "use a field with a type of its own, such as a string or an integer"
)]
pub trait KnownShape {}

impl KnownShape for str {}

macro_rules! forbidden {
    ($($reason:ident: $([$($generics:tt)*] $type:ty),* $(,)?;)*) => {$(
        $(
            #[doc(hidden)]
            impl<$($generics)*> IdSegment for $type
            where
                // Without the lifetime, rustc would check the bound here and not where it is used.
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
