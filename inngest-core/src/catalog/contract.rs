//! The contract of one version of an event: its name, its id template and the schema of its data.

use std::borrow::Cow;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::required::keep_common_required;
use super::schema::{DEFINITIONS, change_references, definitions, reference};
use crate::event::InngestEvent;

/// The contract of one version of an event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Contract {
    /// The event's name, with its domain.
    pub(crate) name: Cow<'static, str>,
    pub(crate) version: Option<Cow<'static, str>>,
    pub(crate) id_template: Option<Cow<'static, str>>,
    /// A self-contained JSON Schema (2020-12) of the event's data as functions receive it: references are
    /// `#/$defs/Name`, and `$defs` is a keyword of the root. Its types are the ones that are serialized. It requires
    /// a field only if the field is always serialized, and is required to deserialize the data.
    pub(crate) schema: Value,
}

impl Contract {
    pub(crate) fn of<E: InngestEvent + JsonSchema>() -> Contract {
        let settings = SchemaSettings::draft2020_12();
        let mut schema = root_schema::<E>(settings.clone().for_serialize());
        keep_common_required(&mut schema, &root_schema::<E>(settings.for_deserialize()));
        Contract {
            name: E::NAME.into(),
            version: E::VERSION.map(Cow::from),
            id_template: E::ID_TEMPLATE.map(Cow::from),
            schema,
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

/// Generates the schema of a type. If the type refers to itself, the reference leads to a copy among the
/// definitions, so that the schema can be moved into another document.
fn root_schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("$schema");
    let mut root = schema.to_value();

    let is_taken = |name: &str| definitions(&root).is_some_and(|it| it.contains_key(name));
    let base = T::schema_name();
    let names =
        std::iter::once(base.to_string()).chain((2..).map(|number| format!("{base}{number}")));
    let name = names.into_iter().find(|name| !is_taken(name)).unwrap_or_default();
    let mut refers_to_itself = false;
    change_references(&mut root, &mut |it| {
        refers_to_itself |= it == "#";
        (it == "#").then(|| reference(DEFINITIONS, &name))
    });
    if refers_to_itself {
        let mut copy = root.clone();
        if let (Some(copy), Some(root)) = (copy.as_object_mut(), root.as_object_mut()) {
            copy.remove("$defs");
            let definitions = root.entry("$defs").or_insert_with(|| json!({}));
            definitions[name] = Value::Object(std::mem::take(copy));
        }
    }
    root
}
