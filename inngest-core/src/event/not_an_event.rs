//! Compile errors for values that contain an event or resemble one, but are not events: see `source.rs`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use serde_json::{Map, Value};

use super::error::EventError;
use super::source::{NamedEvent, OneEvent, PresentEvent, Sent};
use super::writer::EventWriter;

/// A bound that no type meets.
pub trait Never {}

macro_rules! not_an_event {
    ($($step:ident, $method:ident: $([$($generics:tt)*] $type:ty),* $(,)?;)*) => {$(
        $(
            #[diagnostic::do_not_recommend]
            impl<$($generics)*> $step<$type> for Sent<$type>
            where
                // Without the lifetime, rustc would report the unmet bound here, not where it is used.
                for<'never> &'never (): Never,
            {
                fn $method(self, _: &mut EventWriter<'_>) -> Result<(), EventError> {
                    unreachable!("nothing meets the bound")
                }
            }
        )*
    )*};
}

not_an_event! {
    OneEvent, write_one:
        [T] Vec<T>, ['a, T] &'a Vec<T>, ['a, T] &'a [T],
        [T, const N: usize] [T; N], ['a, T, const N: usize] &'a [T; N],
        [T] VecDeque<T>, [T] BTreeSet<T>, [T, S] HashSet<T, S>;
    PresentEvent, write_present:
        [T] Option<T>, ['a, T] &'a Option<T>, [T, E] Result<T, E>, ['a, T, E] &'a Result<T, E>;
    NamedEvent, write_named:
        ['a] &'a str, [] String, ['a] &'a String, [] Value, ['a] &'a Value,
        [] Map<String, Value>, ['a] &'a Map<String, Value>,
        [K, V] BTreeMap<K, V>, ['a, K, V] &'a BTreeMap<K, V>,
        [K, V, S] HashMap<K, V, S>, ['a, K, V, S] &'a HashMap<K, V, S>,
        [] (), [A, B] (A, B), [A, B, C] (A, B, C), [A, B, C, D] (A, B, C, D);
}
