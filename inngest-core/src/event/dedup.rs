//! Dedup ids: what may stand in one, and how a template becomes one.

use std::borrow::{Borrow, Cow};
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::InngestEvent;
use super::error::EventError;

/// An event's dedup id as it goes on the wire.
///
/// For 24 hours after the first event with an id, Inngest starts no function for another one with
/// the same id, whatever the event's name. It is never empty and never only white space: Inngest
/// takes an empty id for none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupId(String);

impl DedupId {
    /// An id for a hand-written [`InngestEvent`].
    ///
    /// # Errors
    ///
    /// [`EventError::BlankId`] if `id` is empty or only white space.
    pub fn new(id: impl Into<String>) -> Result<DedupId, EventError> {
        let id = id.into();
        if id.trim().is_empty() {
            return Err(EventError::BlankId);
        }
        Ok(DedupId(id))
    }

    /// The id's text.
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

/// A type whose values have one text each, so that they may stand in a dedup id.
///
/// Strings, integers, `bool`, `char`, references and smart pointers to those; with the features of
/// the same names, the types of `uuid`, `ulid`, `chrono`, `jiff`, `time` and `rust_decimal` whose
/// text is canonical (times in UTC, decimals without trailing zeros). Newtypes and fieldless enums
/// get it with `#[derive(IdSegment)]`.
///
/// Floats, `Option` and collections have no such text, and there is no blanket implementation over
/// `Display`: an id must not change with the whims of a format.
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
/// Equal values must write equal texts and different values different texts, in this release and in
/// the next. Escaping is done for you.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a dedup id",
    label = "`{Self}` has no canonical text",
    note = "strings, integers, `bool`, `char` and, with the features of these names, the types of \
            `uuid`, `ulid`, `chrono`, `jiff`, `time` and `rust_decimal` can",
    note = "for a newtype or a fieldless enum, add `#[derive(IdSegment)]` to it; of another struct, \
            name a field, such as `{{account.id}}`"
)]
pub trait IdSegment {
    /// Whether the end of a value's text shows in the text itself, whatever follows, as it does for
    /// integers. A value of such a type is not escaped. Leave it `false`.
    const SELF_DELIMITING: bool = false;

    /// Writes the value's one text.
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

macro_rules! pointer {
    ($($pointer:ty),*) => {$(
        impl<T: IdSegment + ?Sized> IdSegment for $pointer {
            const SELF_DELIMITING: bool = T::SELF_DELIMITING;

            fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                (**self).write_segment(out)
            }
        }
    )*};
}

pointer!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: IdSegment + ToOwned + ?Sized> IdSegment for Cow<'_, T> {
    const SELF_DELIMITING: bool = T::SELF_DELIMITING;

    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        (**self).write_segment(out)
    }
}

/// A newtype's field, to which `#[derive(IdSegment)]` delegates.
#[derive(Debug)]
pub struct Inner<T: ?Sized>(PhantomData<T>);

/// What the field gives its newtype. Asked for `Inner<f64>` rather than for `f64`, rustc tells the
/// reason that is deepest: why a float may not, rather than who may.
pub trait Delegate<T: ?Sized> {
    /// As in [`IdSegment`].
    const SELF_DELIMITING: bool;

    /// As in [`IdSegment`].
    fn write_segment(value: &T, out: &mut dyn fmt::Write) -> fmt::Result;
}

impl<T: IdSegment + ?Sized> Delegate<T> for Inner<T> {
    const SELF_DELIMITING: bool = T::SELF_DELIMITING;

    fn write_segment(value: &T, out: &mut dyn fmt::Write) -> fmt::Result {
        value.write_segment(out)
    }
}

/// Renders one id. Generated code makes it, asks it for a [`Segment`] a placeholder, and hands it
/// the template's `format_args!`.
#[derive(Debug)]
pub struct IdWriter {
    event: &'static str,
    failed: Cell<Option<Failed>>,
}

/// A `Display` can only say that it failed, so what failed is kept here.
#[derive(Clone, Copy, Debug)]
enum Failed {
    Blank(&'static str),
    Write(&'static str),
}

impl IdWriter {
    /// For one id of the event with this name.
    #[must_use]
    pub fn new(event: &'static str) -> IdWriter {
        IdWriter { event, failed: Cell::new(None) }
    }

    /// The placeholder no other follows: its value is written as it is.
    pub fn last<'a, T: ?Sized>(&'a self, field: &'static str, value: &'a T) -> Segment<'a, T> {
        Segment { field, value, end: None, failed: &self.failed }
    }

    /// A placeholder that another follows; the text between them begins with `end`.
    pub fn until<'a, T: ?Sized>(
        &'a self,
        end: char,
        field: &'static str,
        value: &'a T,
    ) -> Segment<'a, T> {
        Segment { field, value, end: Some(end), failed: &self.failed }
    }

    /// Writes the whole id. `true`, since an event with a template has an id.
    pub fn write(
        &self,
        out: &mut dyn fmt::Write,
        id: fmt::Arguments<'_>,
    ) -> Result<bool, EventError> {
        let written = out.write_fmt(id);
        match (self.failed.take(), written) {
            (Some(Failed::Blank(field)), _) => {
                Err(EventError::BlankIdSegment { event: self.event, field })
            }
            (Some(Failed::Write(field)), _) => {
                Err(EventError::IdSegment { event: self.event, field })
            }
            (None, Err(fmt::Error)) => {
                Err(EventError::IdSegment { event: self.event, field: "id" })
            }
            (None, Ok(())) => Ok(true),
        }
    }
}

/// One placeholder's value.
#[derive(Debug)]
pub struct Segment<'a, T: ?Sized> {
    field: &'static str,
    value: &'a T,
    end: Option<char>,
    failed: &'a Cell<Option<Failed>>,
}

impl<T: IdSegment + ?Sized> fmt::Display for Segment<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if T::SELF_DELIMITING { None } else { self.end };
        let mut text = SegmentText { out: f, end, blank: true };
        let written = self.value.write_segment(&mut text);
        let failed = match written {
            Err(fmt::Error) => Failed::Write(self.field),
            Ok(()) if text.blank => Failed::Blank(self.field),
            Ok(()) => return Ok(()),
        };
        self.failed.set(Some(failed));
        Err(fmt::Error)
    }
}

/// Escapes a value's text up to the character that ends it, and sees whether there is any.
struct SegmentText<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    end: Option<char>,
    blank: bool,
}

impl fmt::Write for SegmentText<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.blank = self.blank && text.chars().all(char::is_whitespace);
        let Some(end) = self.end else {
            return self.out.write_str(text);
        };
        let mut rest = text;
        while let Some(at) = rest.find(['%', end]) {
            self.out.write_str(&rest[..at])?;
            let escaped = if rest[at..].starts_with('%') { '%' } else { end };
            for byte in escaped.encode_utf8(&mut [0; 4]).bytes() {
                write!(self.out, "%{byte:02X}")?;
            }
            rest = &rest[at + escaped.len_utf8()..];
        }
        self.out.write_str(rest)
    }
}

/// The id of an event with a template: [`InngestEvent::dedup_id`] as the derive writes it.
pub fn dedup_id<E: InngestEvent + ?Sized>(event: &E) -> Result<Option<DedupId>, EventError> {
    let mut id = String::new();
    Ok(event.write_dedup_id(&mut id)?.then_some(DedupId(id)))
}
