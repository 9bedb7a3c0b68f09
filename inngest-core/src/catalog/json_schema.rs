//! JSON Schema: a bundle of all events, and the schema of one event.

use serde_json::{Value, json};

use super::Catalog;
use super::bundle::Bundle;
use super::error::CatalogError;
use super::schema::DEFINITIONS;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

impl Catalog {
    /// Returns the schemas of the data of all events, as one JSON Schema (draft 2020-12).
    ///
    /// Its `$defs` contain a schema for each event, named after the event without its domain, the part up to the
    /// last `/`: `storefront/cart.updated` is `#/$defs/CartUpdated`. If an event has several versions, their schemas
    /// are `CartUpdatedV1` and `CartUpdatedV2`, and `CartUpdated` matches any of them. The other definitions are the
    /// inner types. `x-inngest-event` and `x-inngest-version` are the event's name and version.
    ///
    /// The schemas describe the data as it is sent: an encrypted field is its envelope.
    ///
    /// # Errors
    ///
    /// - [`CatalogError::SameExport`] if two events have the same name without their domains.
    /// - The first error of the events that were added: [`CatalogError::SameName`], [`CatalogError::NotAnObject`] or
    ///   [`CatalogError::Encrypted`].
    pub fn json_schema(&self) -> Result<Value, CatalogError> {
        let bundle = Bundle::new(self.checked_contracts()?, DEFINITIONS, str::to_owned)?;
        let mut schema = json!({ "$schema": DIALECT, "title": self.name, "$defs": bundle.schemas });
        if let Some(description) = &self.description {
            schema["description"] = description.as_str().into();
        }
        Ok(schema)
    }

    /// Returns the JSON Schema (draft 2020-12) of the event `name`, as it is sent: an object with the event's
    /// `name`, `data`, `v` and the other fields of the envelope. Several versions are alternatives of a `oneOf`.
    ///
    /// The schema does not allow a version that is set with [`Event::version`](crate::Event::version).
    ///
    /// # Errors
    ///
    /// Returns [`CatalogError::UnknownEvent`] if the catalog has no event of that name, and the errors of
    /// [`json_schema`](Self::json_schema).
    pub fn event_schema(&self, name: &str) -> Result<Value, CatalogError> {
        let contracts = self.checked_contracts()?;
        let first = contracts.partition_point(|it| *it.name < *name);
        let end = contracts.partition_point(|it| *it.name <= *name);
        let bundle = Bundle::new(&contracts[first..end], DEFINITIONS, str::to_owned)?;
        let Some(event) = bundle.events.first() else {
            return Err(self.unknown_event(name, None));
        };
        let versions: Vec<&str> =
            event.versions.iter().filter_map(|(_, contract)| contract.version.as_deref()).collect();
        let envelopes = event.versions.iter();
        let mut envelopes: Vec<Value> =
            envelopes.map(|(key, contract)| bundle.envelope(key, contract, &versions)).collect();
        let mut schema = match envelopes.pop() {
            Some(envelope) if envelopes.is_empty() => envelope,
            last => json!({ "oneOf": envelopes.into_iter().chain(last).collect::<Vec<_>>() }),
        };
        schema["$schema"] = DIALECT.into();
        schema["title"] = name.into();
        schema["$defs"] = Value::Object(bundle.schemas);
        Ok(schema)
    }
}
