//! The error that ends the program.

use std::error::Error;
use std::fmt;

/// An error that ends the program. Its `Debug` output is the readable text, since Rust prints an error that `main`
/// returns with `Debug`.
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure(text.into())
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}\n  caused by: {error}");
            cause = error.source();
        }
        Failure(text)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
