//! Completes the implementation of `CatalogEvents` that the derive generates for an enum of events.

/// Expands to the implementation, from its header and the types of the events.
#[doc(hidden)]
#[macro_export]
macro_rules! catalog_events {
    ({ $($header:tt)* } $($event:ty,)*) => {
        $($header)* {
            fn add_events(catalog: &mut $crate::private::Catalog) {
                $(<$event as $crate::private::EventSchema>::add_event(catalog);)*
            }
        }
    };
}
