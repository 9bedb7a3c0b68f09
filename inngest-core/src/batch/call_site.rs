//! Where in a program an event was given to this crate.

#[cfg(feature = "testing")]
use std::panic::Location;

/// The line a [`Recorder`](crate::testing::Recorder) names for an event; nothing without the feature
/// `testing`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSite {
    #[cfg(feature = "testing")]
    pub(crate) location: &'static Location<'static>,
}

impl CallSite {
    /// The caller of a function with `#[track_caller]`.
    #[track_caller]
    pub(crate) fn caller() -> CallSite {
        CallSite {
            #[cfg(feature = "testing")]
            location: Location::caller(),
        }
    }
}
