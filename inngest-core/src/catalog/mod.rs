//! The catalog: the schemas of a program's events, and what is generated from them for other programs.
//!
//! The functions that consume events are often written in another language. A catalog collects the schemas of the
//! payloads, which derive `schemars::JsonSchema` (of [`schemars`] version 1), and exports them:
//!
//! | export | for |
//! |---|---|
//! | [`typescript`](Catalog::typescript) | functions in TypeScript: the types, and an `eventType` for each event |
//! | [`json_schema`](Catalog::json_schema) | validation of data, and generators of types, for example for Python |
//! | [`event_schema`](Catalog::event_schema) | validation of one whole event as it is sent |
//! | [`asyncapi`](Catalog::asyncapi) | tools that read AsyncAPI |
//! | [`markdown`](Catalog::markdown) | documentation for the teams that consume the events |
//! | the lock, by [`assert_lock`](Catalog::assert_lock) | a test that fails if a change of the types breaks functions |
//!
//! ```
//! # #[cfg(feature = "derive")] {
//! use inngest_core::catalog::Catalog;
//! use inngest_core::{InngestEvent, InngestEvents};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// An order was placed.
//! #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
//! #[inngest(name = "storefront/order.placed", id = "order-placed-{number}", version = "1")]
//! struct OrderPlaced {
//!     number: u32,
//! }
//!
//! #[derive(InngestEvents)]
//! enum StorefrontEvent {
//!     OrderPlaced(OrderPlaced),
//! }
//!
//! let catalog = Catalog::new("storefront").events::<StorefrontEvent>();
//! let schema = catalog.json_schema()?;
//! assert_eq!(schema["$defs"]["OrderPlaced"]["properties"]["number"]["type"], "integer");
//! # }
//! # Ok::<(), inngest_core::catalog::CatalogError>(())
//! ```
//!
//! Generated files are committed, and a test keeps them up to date: see [`assert_file`](Catalog::assert_file).
//!
//! # What a schema requires
//!
//! There is one schema of an event's data, with the types that `Serialize` writes. A field is required if it is always
//! serialized, and the payload cannot be deserialized without it. So neither an `Option` nor a field with
//! `#[serde(default)]` is required: events that are stored, delayed or replayed may lack it.
//!
//! Doc comments become descriptions. `#[schemars(extend("deprecated" = true))]` marks a field as deprecated.
//! `#[schemars(extend("x-open" = true))]` marks an enum to which variants may be added later.
//!
//! A field that is an `Encrypted<T>` (feature `encryption`) is a `T` in TypeScript, in Markdown and in the lock, as
//! functions receive it. JSON Schema, AsyncAPI and [`check_event`](Catalog::check_event) describe the encrypted form.
//!
//! # What a schema cannot describe
//!
//! The schema of an internally tagged enum (`#[serde(tag = "..")]`) is wrong for a newtype variant whose struct
//! flattens a map: the schema then requires the type of the map's values for the tag, too.
//! [`check_event`](Catalog::check_event) reports this. It also reports data that `serialize_with` or a hand-written
//! `Serialize` writes in another form than the schema describes.
//!
//! # Python
//!
//! `datamodel-codegen` generates Pydantic models from [`json_schema`](Catalog::json_schema):
//!
//! ```sh
//! datamodel-codegen --input events.schema.json --input-file-type jsonschema --output events.py \
//!     --output-model-type pydantic_v2.BaseModel --use-annotated --snake-case-field --collapse-root-models
//! ```
//!
//! A function then reads its event with `OrderPlaced.model_validate(ctx.event.data)`.
//!
//! # Versions
//!
//! Functions are triggered by an event's name, so a function receives every version of the event. A function for
//! one version selects it by its trigger's `if`: `{ event: "storefront/cart.updated", if: "event.v == '2'" }`.

mod asyncapi;
mod bundle;
mod check;
mod compat;
mod contract;
mod encrypted;
mod error;
mod events_macro;
mod export_name;
mod file;
mod json_schema;
mod lock;
mod markdown;
mod markdown_type;
mod register;
mod required;
mod rules;
mod schema;
mod typescript;

use schemars::JsonSchema;

pub use self::compat::{Problem, Verdict};
use self::contract::Contract;
pub use self::error::CatalogError;
#[doc(hidden)]
pub use self::events_macro::catalog_events;
pub use self::lock::{Change, ChangeKind, LockError};
pub use self::register::{CatalogEvents, EventSchema};
use crate::event::InngestEvent;

/// The events of a program, with the schemas of their data, to be exported. See the [module](self).
///
/// Events can be added in any order. If an event has an error, such as data that is not an object, every export
/// returns that error.
///
/// See [catalog](crate::guide::catalog) in the guide.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// Sorted by name and version.
    pub(crate) contracts: Vec<Contract>,
    /// The first error of the events that were added, which every export returns.
    problem: Option<CatalogError>,
}

impl Catalog {
    /// Creates a catalog without events. `name` is the title of the exports, such as the program's name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Catalog {
        Catalog { name: name.into(), description: None, contracts: Vec::new(), problem: None }
    }

    /// Sets a description of the whole catalog, as Markdown, which the exports include.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Catalog {
        self.description = Some(text.into());
        self
    }

    /// Adds an event type. Adding a type again has no effect.
    #[must_use]
    pub fn event<E: InngestEvent + JsonSchema>(mut self) -> Catalog {
        self.add(Contract::of::<E>());
        self
    }

    /// Adds all event types of an enum of events. Adding a type again has no effect.
    ///
    /// The payloads must implement `schemars::JsonSchema`, of schemars version 1.
    #[must_use]
    pub fn events<S: CatalogEvents>(mut self) -> Catalog {
        S::add_events(&mut self);
        self
    }

    /// Returns the contracts, sorted by name and version, or the first error of the events that were added.
    pub(crate) fn checked_contracts(&self) -> Result<&[Contract], CatalogError> {
        match &self.problem {
            Some(problem) => Err(problem.clone()),
            None => Ok(&self.contracts),
        }
    }

    fn add(&mut self, contract: Contract) {
        let key = |it: &Contract| (it.name.clone(), it.version.clone());
        match self.contracts.binary_search_by_key(&key(&contract), key) {
            Ok(index) => {
                let existing = &self.contracts[index];
                let difference = match existing.schema == contract.schema {
                    true if existing.id_template == contract.id_template => return,
                    true => "their id templates",
                    false => "their schemas",
                };
                let event = contract.title();
                self.problem.get_or_insert(CatalogError::SameName { event, difference });
            }
            Err(index) => {
                if let Err(problem) = rules::check(&contract) {
                    self.problem.get_or_insert(problem);
                }
                self.contracts.insert(index, contract);
            }
        }
    }
}
