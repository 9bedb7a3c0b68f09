//! The source location at which an event was passed to this crate.

#[cfg(feature = "testing")]
use std::panic::Location;

/// The source location that a `Recorder` reports for an event. Empty without the feature `testing`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSite {
    #[cfg(feature = "testing")]
    pub(crate) location: &'static Location<'static>,
}

impl CallSite {
    /// Returns the location of the caller of a function with `#[track_caller]`.
    #[track_caller]
    pub(crate) fn caller() -> CallSite {
        CallSite {
            #[cfg(feature = "testing")]
            location: Location::caller(),
        }
    }
}
