//! Generates TypeScript: a type and an event type of the package `inngest` for each event.
//!
//! `schema.rs` translates schemas to the types of `types.rs`, `inner_types.rs` names the types of values inside
//! events, and `print.rs` writes all of them.

mod inner_types;
mod print;
mod schema;
mod types;

use super::export_name::{EventExports, ExportName, exports};
use super::{Catalog, CatalogError};
use inner_types::InnerTypes;
use print::{declaration, js_doc, literal, paragraphs};
use schema::{Translation, doc};
use types::Type;

impl Catalog {
    /// Returns a TypeScript module with the types of all events, for functions that use the npm package `inngest`
    /// version 4, with TypeScript 5.3 or newer.
    ///
    /// For an event `storefront/cart.updated` it exports
    ///
    /// - the type `CartUpdated` of its data, with the Rust documentation, and
    /// - the value `cartUpdated`, for triggers, `step.waitForEvent` and `step.sendEvent`.
    ///
    /// Both are named after the event without its domain, the part up to the last `/`. `Event` is appended to names
    /// that TypeScript reserves or declares itself, and prepended to names that begin with a digit: `deleteEvent`,
    /// `event2faEnabled`. Inner types are exported under their Rust names, with a number if a name is taken.
    ///
    /// If the catalog has several versions of an event, each version has its own exports, such as `CartUpdatedV2`
    /// and `cartUpdatedV2`, and `CartUpdated` and `cartUpdated` are for any version.
    ///
    /// **A version does not route:** a function is triggered by the event's name and receives every version.
    /// `{ event: cartUpdatedV2, if: "event.v == '2'" }` triggers it by one version only.
    ///
    /// An `Option` is an optional property of the type `T | null`, since stored events may lack it. Any other field
    /// that is not required to deserialize an event is an optional property, too. A unit struct is
    /// `Record<string, never>`, since Inngest sends an empty object for null. An enum with `x-open` accepts other
    /// strings, too.
    ///
    /// # Errors
    ///
    /// - [`CatalogError::SameExport`] if two events would have the same export.
    /// - [`CatalogError::Unsupported`] if a schema has a keyword that cannot be translated. The derive of
    ///   schemars generates no such keyword.
    /// - The errors of the events that were added: see [`json_schema`](Self::json_schema).
    pub fn typescript(&self) -> Result<String, CatalogError> {
        let events = exports(self.checked_contracts()?)?;
        let names = events.iter().flat_map(EventExports::type_names);
        let mut inner_types = InnerTypes::new(names.map(str::to_owned));
        let mut blocks = vec![self.header()];
        for event in &events {
            for (name, contract) in &event.versions {
                let root = &contract.schema;
                let ty =
                    Translation { contract, name: &name.of_type, inner_types: &mut inner_types }
                        .data()?;
                blocks.push(declaration(&name.of_type, &doc(root), &ty));
                let version = contract.version.as_deref();
                let doc = paragraphs([&*doc(root), &version_doc(&name.of_value, version)]);
                blocks.push(event_type(name, &doc, &contract.name, version));
            }
            if event.versions.len() > 1 {
                blocks.extend(all_versions(event));
            }
        }
        let inner_types = inner_types.declarations.iter();
        blocks.extend(inner_types.map(|(name, (doc, ty))| declaration(name, doc, ty)));
        Ok(blocks.join("\n"))
    }

    fn header(&self) -> String {
        let title = format!("The events of {}.", self.name);
        let origin = "Generated from the types of the Rust program that sends them: do not edit.";
        let description = self.description.as_deref().unwrap_or_default();
        let text = paragraphs([title.as_str(), description, origin]);
        let import = if self.contracts.is_empty() {
            "export {};\n"
        } else {
            "import { eventType, staticSchema } from \"inngest\";\n"
        };
        format!("/* eslint-disable */\n{}\n{import}", js_doc(&text, 0))
    }
}

/// Returns the exports for all versions of an event together.
fn all_versions(EventExports { name, versions }: &EventExports<'_>) -> [String; 2] {
    let types = versions.iter().map(|(name, _)| Type::atom(&*name.of_type));
    let event = &versions[0].1.name;
    let doc = format!(
        "Any version of `{event}`. Functions receive all of them, since triggers match by name."
    );
    let ty = declaration(&name.of_type, &doc, &Type::union_of(types));
    [ty, event_type(name, &doc, event, None)]
}

/// Returns the value of an event.
fn event_type(name: &ExportName, doc: &str, event: &str, version: Option<&str>) -> String {
    let version = version.map_or(String::new(), |it| format!("  version: {},\n", literal(it)));
    format!(
        "{}export const {} = eventType({}, {{\n  schema: staticSchema<{}>(),\n{version}}});\n",
        js_doc(doc, 0),
        name.of_value,
        literal(event),
        name.of_type,
    )
}

/// Returns the documentation of an event's version.
fn version_doc(value: &str, version: Option<&str>) -> String {
    version.map_or(String::new(), |version| {
        let quoted = version.replace('\\', "\\\\").replace('\'', "\\'");
        format!(
            "Version {version}. A version does not route: triggers match by name, and functions receive\n\
             every version. This version only: `{{ event: {value}, if: {} }}`",
            literal(&format!("event.v == '{quoted}'"))
        )
    })
}
