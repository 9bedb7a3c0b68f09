//! Registration: which events an enum of events adds to a catalog.

use schemars::JsonSchema;

use super::Catalog;
use super::contract::Contract;
use crate::event::InngestEvent;

/// An enum of events, for [`Catalog::events`].
///
/// `#[derive(InngestEvents)]` implements it for enums whose payloads implement `schemars::JsonSchema`.
///
/// See [catalog](crate::guide::catalog) in the guide.
// There is no blanket implementation for single events: with one, the error about a payload without a schema
// would name the enum instead of the payload.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum of events",
    label = "not an enum of events",
    note = "add `#[derive(InngestEvents)]` to an enum of events",
    note = "a single event is added with `.event::<{Self}>()`"
)]
pub trait CatalogEvents {
    /// Adds the event types of all variants.
    #[doc(hidden)]
    fn add_events(catalog: &mut Catalog);
}

/// An event type whose data has a schema. Implemented for every [`InngestEvent`] with a `schemars::JsonSchema`.
///
/// See [catalog](crate::guide::catalog) in the guide.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no schema",
    label = "an event of this type cannot be part of a catalog",
    note = "add `#[derive(schemars::JsonSchema)]` to it, with version 1 of `schemars`"
)]
pub trait EventSchema {
    /// Adds the event type to `catalog`.
    fn add_event(catalog: &mut Catalog);
}

#[diagnostic::do_not_recommend]
impl<E: InngestEvent + JsonSchema> EventSchema for E {
    fn add_event(catalog: &mut Catalog) {
        catalog.add(Contract::of::<E>());
    }
}
