//! The errors of a catalog.

use crate::event::EventError;

/// The reason why a catalog cannot be exported, or why an event does not match it.
///
/// See [catalog](crate::guide::catalog) in the guide.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// Two event types have the same name and the same version, and different schemas or id templates.
    #[error(
        "{event} is defined by two types that differ in {difference}; give one of them another name or another version"
    )]
    SameName {
        /// The event and its version: ``"`storefront/cart.updated`, version `2`"``.
        event: String,
        /// What differs: `their schemas` or `their id templates`.
        difference: &'static str,
    },

    /// Two events have the same name in generated code.
    #[error(
        "{first} and {second} would both be exported as `{export}`, since an export is named after the event \
         without its domain, the part up to the last `/`; rename one of them, or put them in two catalogs"
    )]
    SameExport {
        /// The name that both would have: `CartUpdated`.
        export: String,
        /// The first event.
        first: String,
        /// The second event.
        second: String,
    },

    /// The schema of an event has a keyword that the catalog does not support.
    #[error(
        "the schema of `{event}` has the keyword `{keyword}` at `{path}`, which is not supported here; it comes \
         from `#[schemars(..)]` or from a `JsonSchema` implementation"
    )]
    Unsupported {
        /// The event's name.
        event: String,
        /// The path to the value in the event: `data.lines[].sku`.
        path: String,
        /// The keyword.
        keyword: String,
    },

    /// The schema of an event's data does not describe a JSON object. Inngest rejects such an event with status 400.
    #[error(
        "the data of {event} must be a JSON object, but its schema describes {found}; an event is a struct \
         with named fields or without any"
    )]
    NotAnObject {
        /// The event and its version.
        event: String,
        /// What the schema describes: `an array`.
        found: String,
    },

    /// An event has an encrypted field that Inngest's official encryption packages do not decrypt.
    #[error("the field `{path}` of {event} is encrypted, and {problem}")]
    Encrypted {
        /// The event and its version.
        event: String,
        /// The path to the field in the event: `data.customer`.
        path: String,
        /// The rule that the field breaks.
        problem: &'static str,
    },

    /// The event, or this version of it, is not in the catalog.
    #[error("{event} is not in the catalog `{catalog}`: {hint}")]
    UnknownEvent {
        /// The event and its version.
        event: String,
        /// The catalog's name.
        catalog: String,
        /// How to fix it.
        hint: String,
    },

    /// The data of an event does not match the event's schema. `Serialize` and `JsonSchema` of a type differ,
    /// for example by `serialize_with`.
    #[error(
        "the data of {event} does not match its schema: `{path}` {problem}; make `Serialize` and `JsonSchema` of \
         its type agree, for example by `#[schemars(with = \"..\")]`"
    )]
    Mismatch {
        /// The event and its version.
        event: String,
        /// The path to the value in the event: `data.lines[2].sku`.
        path: String,
        /// The value found, and what the schema requires.
        problem: String,
    },

    /// The event cannot be serialized.
    #[error(transparent)]
    Event(#[from] EventError),
}
