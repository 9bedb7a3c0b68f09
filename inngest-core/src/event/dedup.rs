//! Dedup ids: the types whose values may be part of one, and the rendering of templates.

use std::borrow::{Borrow, Cow};
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::InngestEvent;
use super::blank::is_blank;
use super::error::EventError;

/// An event's dedup id as it is sent.
///
/// For 24 hours after the first event with an id, Inngest starts no function for another event with
/// the same id, whatever the event's name is. Functions with batching or debounce, and steps that wait
/// for events, ignore dedup ids.
///
/// An id is never blank (empty, or only invisible characters), since Inngest treats an empty id as no id.
///
/// See [events](crate::guide::events) in the guide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupId(String);

impl DedupId {
    /// Creates an id, for a hand-written [`InngestEvent`].
    ///
    /// # Errors
    ///
    /// Returns [`EventError::BlankId`] if `id` is empty or has only invisible characters.
    pub fn new(id: impl Into<String>) -> Result<DedupId, EventError> {
        let id = id.into();
        if is_blank(&id) {
            return Err(EventError::BlankId);
        }
        Ok(DedupId(id))
    }

    /// Returns the id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DedupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for DedupId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for DedupId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<DedupId> for String {
    fn from(id: DedupId) -> String {
        id.0
    }
}

impl PartialEq<str> for DedupId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for DedupId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl Serialize for DedupId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A type whose values have one canonical text each, so that they may be part of a dedup id.
///
/// It is implemented for strings, integers, `bool`, `char`, and references and smart pointers to them.
/// `#[derive(IdSegment)]` implements it for newtypes and fieldless enums. The features `uuid`, `ulid`,
/// `chrono`, `jiff` (version 1), `jiff02` (version 0.2), `time` and `rust_decimal` implement it for those types
/// of these crates that have a canonical text: times in UTC, and decimals without trailing zeros.
///
/// Floats, `Option` and collections have no canonical text. There is no blanket implementation over
/// `Display`, since a type may change its `Display` in any release, and a dedup id must not change.
///
/// # By hand
///
/// ```
/// use std::fmt;
/// use inngest_core::IdSegment;
///
/// struct Sku { maker: u16, number: u32 }
///
/// impl IdSegment for Sku {
///     fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
///         write!(out, "{}.{}", self.maker, self.number)
///     }
/// }
/// ```
///
/// Equal values must write equal texts, and different values different texts, in this and every later
/// release of your program. Write the text unescaped; this crate escapes it.
///
/// See [events](crate::guide::events) in the guide.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a dedup id",
    label = "`{Self}` has no canonical text",
    note = "strings, integers, `bool` and `char` can, and with the features of the same names the types \
            of `uuid`, `ulid`, `chrono`, `jiff`, `time` and `rust_decimal` (`jiff02` for jiff 0.2)",
    note = "for a newtype or a fieldless enum, add `#[derive(IdSegment)]` to it; for another struct, \
            name one of its fields, such as `{{account.id}}`"
)]
pub trait IdSegment {
    /// Whether the end of the text can be found without escaping, as for integers. Values of such types
    /// are not escaped. Leave it `false` in your own implementations.
    const SELF_DELIMITING: bool = false;

    /// Writes the value's canonical text to `out`.
    ///
    /// # Errors
    ///
    /// Returns an error if the value has no text. Sending the event then fails with an
    /// [`EventError::IdSegment`].
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result;
}

macro_rules! self_delimiting {
    ($($type:ty)*) => {$(
        impl IdSegment for $type {
            const SELF_DELIMITING: bool = true;

            fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                write!(out, "{self}")
            }
        }
    )*};
}

self_delimiting! {
    bool
    u8 u16 u32 u64 u128 usize
    i8 i16 i32 i64 i128 isize
    std::num::NonZeroU8 std::num::NonZeroU16 std::num::NonZeroU32 std::num::NonZeroU64
    std::num::NonZeroU128 std::num::NonZeroUsize
    std::num::NonZeroI8 std::num::NonZeroI16 std::num::NonZeroI32 std::num::NonZeroI64
    std::num::NonZeroI128 std::num::NonZeroIsize
}

impl IdSegment for str {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(self)
    }
}

impl IdSegment for String {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(self)
    }
}

impl IdSegment for char {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_char(*self)
    }
}

macro_rules! delegate_to_pointee {
    ($($pointer:ty),*) => {$(
        impl<T: IdSegment + ?Sized> IdSegment for $pointer {
            const SELF_DELIMITING: bool = T::SELF_DELIMITING;

            fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                (**self).write_segment(out)
            }
        }
    )*};
}

delegate_to_pointee!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: IdSegment + ToOwned + ?Sized> IdSegment for Cow<'_, T> {
    const SELF_DELIMITING: bool = T::SELF_DELIMITING;

    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        (**self).write_segment(out)
    }
}

/// The type of a newtype's field, to which `#[derive(IdSegment)]` delegates.
#[derive(Debug)]
pub struct NewtypeField<T: ?Sized>(PhantomData<T>);

/// The implementation of [`IdSegment`] of a newtype's field, to which the newtype delegates.
///
/// The derive requires `NewtypeField<f64>: Delegate<f64>` rather than `f64: IdSegment`, because rustc then
/// reports the innermost unmet bound: the reason why a float cannot be part of an id, rather than a list of the
/// types that can.
pub trait Delegate<T: ?Sized> {
    /// The field's [`IdSegment::SELF_DELIMITING`].
    const SELF_DELIMITING: bool;

    /// Writes the field's text: see [`IdSegment::write_segment`].
    fn write_segment(value: &T, out: &mut dyn fmt::Write) -> fmt::Result;
}

impl<T: IdSegment + ?Sized> Delegate<T> for NewtypeField<T> {
    const SELF_DELIMITING: bool = T::SELF_DELIMITING;

    fn write_segment(value: &T, out: &mut dyn fmt::Write) -> fmt::Result {
        value.write_segment(out)
    }
}

/// Renders one dedup id. Generated code creates it, wraps the value of each placeholder in a [`Segment`] and
/// passes it the template's `format_args!`.
#[derive(Debug)]
pub struct IdWriter {
    event: &'static str,
    failure: Cell<Option<SegmentFailure>>,
}

/// The reason why a segment failed, with its field. It is stored, since a `Display` implementation can only return
/// `fmt::Error`.
#[derive(Clone, Copy, Debug)]
enum SegmentFailure {
    Blank(&'static str),
    Write(&'static str),
}

impl IdWriter {
    /// Creates a writer for one id of the event `event`.
    #[must_use]
    pub fn new(event: &'static str) -> IdWriter {
        IdWriter { event, failure: Cell::new(None) }
    }

    /// Wraps the value of the last placeholder, which needs no escaping.
    pub fn last<'a, T: ?Sized>(&'a self, field: &'static str, value: &'a T) -> Segment<'a, T> {
        Segment { field, value, delimiter: None, failure: &self.failure }
    }

    /// Wraps the value of a placeholder that is followed by another. The text between the two begins with
    /// `delimiter`.
    pub fn delimited<'a, T: ?Sized>(
        &'a self,
        delimiter: char,
        field: &'static str,
        value: &'a T,
    ) -> Segment<'a, T> {
        Segment { field, value, delimiter: Some(delimiter), failure: &self.failure }
    }

    /// Writes the whole id to `out`. Returns `true`, since an event with a template has an id.
    pub fn write(
        &self,
        out: &mut dyn fmt::Write,
        id: fmt::Arguments<'_>,
    ) -> Result<bool, EventError> {
        let written = out.write_fmt(id);
        match (self.failure.take(), written) {
            (Some(SegmentFailure::Blank(field)), _) => {
                Err(EventError::BlankIdSegment { event: self.event, field })
            }
            (Some(SegmentFailure::Write(field)), _) => {
                Err(EventError::IdSegment { event: self.event, field })
            }
            (None, Err(fmt::Error)) => {
                Err(EventError::IdSegment { event: self.event, field: "id" })
            }
            (None, Ok(())) => Ok(true),
        }
    }
}

/// The value of one placeholder. It displays as its escaped text.
#[derive(Debug)]
pub struct Segment<'a, T: ?Sized> {
    field: &'static str,
    value: &'a T,
    delimiter: Option<char>,
    failure: &'a Cell<Option<SegmentFailure>>,
}

impl<T: IdSegment + ?Sized> fmt::Display for Segment<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let delimiter = if T::SELF_DELIMITING { None } else { self.delimiter };
        let mut text = SegmentText { out: f, delimiter, is_blank: true };
        let failure = match self.value.write_segment(&mut text) {
            Err(fmt::Error) => SegmentFailure::Write(self.field),
            Ok(()) if text.is_blank => SegmentFailure::Blank(self.field),
            Ok(()) => return Ok(()),
        };
        self.failure.set(Some(failure));
        Err(fmt::Error)
    }
}

/// Escapes `%` and the delimiter in a value's text, and records whether the text is blank.
struct SegmentText<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    delimiter: Option<char>,
    is_blank: bool,
}

impl fmt::Write for SegmentText<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.is_blank = self.is_blank && is_blank(text);
        let Some(delimiter) = self.delimiter else {
            return self.out.write_str(text);
        };
        let mut rest = text;
        while let Some(offset) = rest.find(['%', delimiter]) {
            self.out.write_str(&rest[..offset])?;
            let escaped = if rest[offset..].starts_with('%') { '%' } else { delimiter };
            for byte in escaped.encode_utf8(&mut [0; 4]).bytes() {
                write!(self.out, "%{byte:02X}")?;
            }
            rest = &rest[offset + escaped.len_utf8()..];
        }
        self.out.write_str(rest)
    }
}

/// Renders the id of an event with a template. The derive implements [`InngestEvent::dedup_id`] with it.
pub fn dedup_id<E: InngestEvent + ?Sized>(event: &E) -> Result<Option<DedupId>, EventError> {
    let mut id = String::new();
    Ok(event.write_dedup_id(&mut id)?.then_some(DedupId(id)))
}
