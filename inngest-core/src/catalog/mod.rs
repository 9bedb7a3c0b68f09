//! The catalog: the schemas of events, and what is generated from them.

mod asyncapi;
mod bundle;
mod check;
mod contract;
mod encrypted;
mod error;
mod events_macro;
mod export_name;
mod file;
mod json_schema;
mod markdown;
mod markdown_type;
mod register;
mod required;
mod rules;
mod schema;
mod typescript;

use schemars::JsonSchema;

use self::contract::Contract;
pub use self::error::CatalogError;
pub use self::register::{CatalogEvents, EventSchema};
use crate::event::InngestEvent;

/// The events of a program, with the schemas of their data.
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
    /// Creates a catalog without events.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Catalog {
        Catalog { name: name.into(), description: None, contracts: Vec::new(), problem: None }
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Catalog {
        self.description = Some(text.into());
        self
    }

    /// Adds an event type. Adding the same type twice has no effect.
    #[must_use]
    pub fn event<E: InngestEvent + JsonSchema>(mut self) -> Catalog {
        self.add(Contract::of::<E>());
        self
    }

    /// Adds all event types of an enum of events. A type that is already part of the catalog has no effect.
    ///
    /// The payloads implement `schemars::JsonSchema`, of version 1 of schemars.
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
