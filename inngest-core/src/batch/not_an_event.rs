//! A batch is no event: see `event/source.rs`.

use super::Batch;
use crate::event::{EventError, EventWriter, Never, OneEvent, Sent};

macro_rules! not_an_event {
    ($($type:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl OneEvent<$type> for Sent<$type>
        where
            // Without the lifetime, rustc would check the bound here.
            for<'never> &'never (): Never,
        {
            fn write_one(self, _: &mut EventWriter<'_>) -> Result<(), EventError> {
                unreachable!("nothing meets the bound")
            }
        }
    )*};
}

not_an_event!(Batch, &Batch);
