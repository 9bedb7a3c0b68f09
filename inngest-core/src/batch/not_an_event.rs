//! A compile error for sending a batch as if it were an event: see `event/source.rs`.

use super::Batch;
use crate::event::{EventError, EventWriter, Never, OneEvent, Sent};

macro_rules! not_an_event {
    ($($type:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl OneEvent<$type> for Sent<$type>
        where
            // Without the lifetime, rustc would report the unmet bound here, not where it is used.
            for<'never> &'never (): Never,
        {
            fn write_one(self, _: &mut EventWriter<'_>) -> Result<(), EventError> {
                unreachable!("nothing meets the bound")
            }
        }
    )*};
}

not_an_event!(Batch, &Batch);
