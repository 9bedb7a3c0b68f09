//! Markdown: a page of documentation.

use std::fmt::Write as _;

use serde_json::Value;

use super::Catalog;
use super::bundle::{Bundle, BundledEvent, decrypted_schema};
use super::contract::Contract;
use super::error::CatalogError;
use super::markdown_type::{TypeText, anchor, cell, code};
use super::schema::{DEFINITIONS, entries, is_required, list};

/// The text that explains the versions of an event.
const SEVERAL_VERSIONS: &str = "Functions are triggered by the name, so they receive every version. A function \
                                selects one by its trigger's `if`, such as `event.v == '2'`.";

impl Catalog {
    /// Returns a Markdown page for the teams that consume the events: an index, a section for each event and each
    /// version of it, and the types that events share.
    ///
    /// The fields are what functions receive: an encrypted field is shown decrypted, with a mark.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`json_schema`](Self::json_schema).
    pub fn markdown(&self) -> Result<String, CatalogError> {
        let contracts = self.checked_contracts()?;
        let bundle = Bundle::with_schemas(contracts, DEFINITIONS, str::to_owned, decrypted_schema)?;
        let mut page = Page { out: format!("# {}\n", text(&self.name)), bundle: &bundle };
        page.paragraph(self.description.as_deref());
        page.index();
        for event in &bundle.events {
            for (key, contract) in &event.versions {
                page.event(event, key, contract);
            }
        }
        page.types();
        Ok(page.out)
    }
}

struct Page<'a> {
    out: String,
    bundle: &'a Bundle<'a>,
}

impl Page<'_> {
    fn paragraph(&mut self, text: Option<&str>) {
        if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
            let _ = write!(self.out, "\n{text}\n");
        }
    }

    fn index(&mut self) {
        self.out.push_str("\n| event | version | |\n|---|---|---|\n");
        let versions = self.bundle.events.iter().flat_map(|event| &event.versions);
        for (_, contract) in versions {
            let summary = description(&contract.schema).and_then(|it| it.split("\n\n").next());
            let _ = writeln!(
                self.out,
                "| [{}](#{}) | {} | {} |",
                code(&contract.name),
                anchor(&heading(contract)),
                contract.version.as_deref().map(cell).unwrap_or_default(),
                summary.map(cell).unwrap_or_default(),
            );
        }
    }

    fn event(&mut self, event: &BundledEvent<'_>, key: &str, contract: &Contract) {
        let _ = write!(self.out, "\n## {}\n", heading(contract));
        let schema = &self.bundle.schemas[key];
        self.paragraph(description(schema));
        if event.versions.len() > 1 {
            self.paragraph(Some(SEVERAL_VERSIONS));
        }
        if let Some(template) = &contract.id_template {
            let id = format!(
                "Dedup id: {}. For 24 hours after an event, another one with the same id starts no function.",
                code(template)
            );
            self.paragraph(Some(&id));
        }
        self.content(schema);
    }

    fn types(&mut self) {
        let events: Vec<&str> = self.bundle.events.iter().flat_map(BundledEvent::keys).collect();
        let schemas = self.bundle.schemas.iter();
        let types: Vec<_> = schemas.filter(|(name, _)| !events.contains(&name.as_str())).collect();
        if types.is_empty() {
            return;
        }
        self.out.push_str("\n## Types\n");
        for (name, schema) in types {
            let _ = write!(self.out, "\n### {name}\n");
            self.paragraph(description(schema));
            self.content(schema);
        }
    }

    /// Writes the fields of an object, the values of an enum, or the description of any other type.
    fn content(&mut self, schema: &Value) {
        let types = TypeText { root: &self.bundle.schemas };
        let values = list(schema, "oneOf");
        if !values.is_empty() && values.iter().all(|it| it.get("const").is_some()) {
            self.out.push_str("\n| value | |\n|---|---|\n");
            for value in values {
                let text = description(value).map(cell).unwrap_or_default();
                let _ = writeln!(self.out, "| {} | {text} |", types.of(value));
            }
            return;
        }
        let has_fields = entries(schema, "properties").next().is_some();
        if has_fields {
            self.fields(schema);
        }
        let variants = [values, list(schema, "anyOf")].concat();
        for (index, variant) in variants.iter().enumerate() {
            if index == 0 {
                let head = if has_fields { "And the fields of one of:" } else { "One of:" };
                let _ = write!(self.out, "\n{head}\n\n");
            }
            let note = description(variant).map(|it| format!(": {}", cell(it))).unwrap_or_default();
            let _ = writeln!(self.out, "- {}{note}", types.of(variant));
        }
        let other = schema.get("additionalProperties").filter(|it| it.is_object());
        if let Some(other) = other.filter(|_| has_fields) {
            let _ = write!(self.out, "\nOther fields are {}.\n", types.of(other));
        } else if !has_fields && variants.is_empty() {
            let empty = schema.get("x-inngest-event").is_some() && other.is_none();
            let text = if empty { "No fields.".to_owned() } else { types.sentence(schema) };
            let _ = write!(self.out, "\n{text}\n");
        }
    }

    fn fields(&mut self, schema: &Value) {
        let types = TypeText { root: &self.bundle.schemas };
        self.out.push_str("\n| field | type | | |\n|---|---|---|---|\n");
        for (name, field) in entries(schema, "properties") {
            let presence = if is_required(schema, name) { "required" } else { "optional" };
            let _ = writeln!(
                self.out,
                "| {} | {} | {presence} | {} |",
                code(name),
                types.of(field),
                types.note(field)
            );
        }
    }
}

fn description(schema: &Value) -> Option<&str> {
    schema.get("description")?.as_str()
}

/// Returns the heading of an event's section.
fn heading(contract: &Contract) -> String {
    match &contract.version {
        Some(version) => format!("{}, version {}", text(&contract.name), text(version)),
        None => text(&contract.name),
    }
}

/// Escapes the characters that Markdown interprets.
fn text(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if "\\`*_[]<>#|".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
