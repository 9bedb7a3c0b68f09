//! The compile error of an encrypted value in a dedup id.

use std::fmt;

use super::encrypted::Encrypted;
use crate::event::IdSegment;

/// The bound that [`Encrypted`] does not meet. It is implemented for `str` alone, so that rustc suggests a type that
/// can be used.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a dedup id: equal values have different ciphertexts",
    label = "a ciphertext, which differs each time the value is encrypted",
    note = "use a field that is sent in clear and contains nothing private, such as a customer's id"
)]
pub trait StableText {}

impl StableText for str {}

#[doc(hidden)]
impl<T> IdSegment for Encrypted<T>
where
    Encrypted<T>: StableText,
{
    fn write_segment(&self, _: &mut dyn fmt::Write) -> fmt::Result {
        Err(fmt::Error)
    }
}
