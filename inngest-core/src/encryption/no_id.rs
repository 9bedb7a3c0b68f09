//! The compile error of an encrypted value in a dedup id.

use std::fmt;

use super::encrypted::Encrypted;
use crate::event::IdSegment;

/// Not implemented by [`Encrypted`]. It is implemented for `str` alone, so that rustc names a type that can be
/// used.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a dedup id: the same value is encrypted to another text each time",
    label = "has another text each time the value is encrypted",
    note = "use a field that is sent in clear and contains nothing private, such as a customer's id"
)]
pub trait SameText {}

impl SameText for str {}

#[doc(hidden)]
impl<T> IdSegment for Encrypted<T>
where
    Encrypted<T>: SameText,
{
    fn write_segment(&self, _: &mut dyn fmt::Write) -> fmt::Result {
        Err(fmt::Error)
    }
}
