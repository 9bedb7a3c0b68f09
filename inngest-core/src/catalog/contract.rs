//! The contract of one event type: its name, its version, its id template and the schema of its data.

use std::borrow::Cow;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::event::InngestEvent;

/// The contract of one version of an event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Contract {
    /// The event's name, with its domain.
    pub(crate) name: Cow<'static, str>,
    pub(crate) version: Option<Cow<'static, str>>,
    pub(crate) id_template: Option<Cow<'static, str>>,
    /// A self-contained JSON Schema (2020-12) of the event's data: the root schema is an object, references are
    /// `#/$defs/Name`, and `$defs` is beside the root.
    pub(crate) schema: Value,
}

impl Contract {
    pub(crate) fn of<E: InngestEvent + JsonSchema>() -> Contract {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let mut schema = settings.into_generator().into_root_schema_for::<E>();
        schema.remove("$schema");
        Contract {
            name: E::NAME.into(),
            version: E::VERSION.map(Cow::from),
            id_template: E::ID_TEMPLATE.map(Cow::from),
            schema: schema.to_value(),
        }
    }

    /// Returns the event and its version, for errors.
    pub(crate) fn title(&self) -> String {
        event_title(&self.name, self.version.as_deref())
    }
}

/// Returns ``"`storefront/cart.updated`, version `2`"``, or the name alone.
pub(crate) fn event_title(name: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("`{name}`, version `{version}`"),
        None => format!("`{name}`"),
    }
}
