//! Types as short texts in Markdown, for the cells of a table.

use serde_json::{Map, Value};

use super::encrypted::is_encrypted;
use super::schema::{definition_name, entries, is_required, list, types};

/// Describes types, of which the named ones are sections of the page.
pub(super) struct TypeText<'a> {
    pub(super) root: &'a Map<String, Value>,
}

impl TypeText<'_> {
    /// Returns a type's description, such as `list of [Item](#item)`.
    pub(super) fn of(&self, schema: &Value) -> String {
        let mut parts = Vec::new();
        if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(definition_name) {
            let is_section = self.root.contains_key(&name);
            parts.push(if is_section { format!("[{name}](#{})", anchor(&name)) } else { name });
        }
        if let Some(value) = schema.get("const") {
            return code(&value.to_string());
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            let values: Vec<String> = values.iter().map(|it| code(&it.to_string())).collect();
            let more = schema.get("x-open").is_some_and(|it| it == true);
            return values.join(" or ") + if more { ", and perhaps others" } else { "" };
        }
        for part in list(schema, "allOf") {
            parts.push(self.of(part));
        }
        for keyword in ["anyOf", "oneOf"] {
            let variants: Vec<String> =
                list(schema, keyword).iter().map(|it| self.of(it)).collect();
            if !variants.is_empty() {
                parts.push(variants.join(" or "));
            }
        }
        let kinds = types(schema);
        let is_plain_object = kinds == ["object"] && entries(schema, "properties").next().is_none();
        // Beside a reference, `object` adds nothing.
        if !kinds.is_empty() && (parts.is_empty() || !is_plain_object) {
            let kinds: Vec<String> = kinds.iter().map(|kind| self.kind(kind, schema)).collect();
            parts.insert(0, kinds.join(" or "));
        }
        if parts.is_empty() { "any value".to_owned() } else { parts.join(", and ") }
    }

    /// Returns a type's description as a sentence.
    pub(super) fn sentence(&self, schema: &Value) -> String {
        let text = self.of(schema);
        let mut rest = text.chars();
        let first = rest.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}.", rest.as_str())
    }

    fn kind(&self, kind: &str, schema: &Value) -> String {
        let format = schema.get("format").and_then(Value::as_str);
        let with_format = |name: &str| match format {
            Some(format) => format!("{name} ({})", cell(format)),
            None => name.to_owned(),
        };
        match kind {
            "string" => with_format("text"),
            "integer" => with_format("integer"),
            "array" => self.array(schema),
            "object" => self.object(schema),
            other => other.to_owned(),
        }
    }

    fn array(&self, schema: &Value) -> String {
        let tuple: Vec<String> = list(schema, "prefixItems").iter().map(|it| self.of(it)).collect();
        if !tuple.is_empty() {
            return format!("({})", tuple.join(", "));
        }
        let unique = if schema.get("uniqueItems").is_some() { "unique " } else { "" };
        let items = schema.get("items").map_or("any value".to_owned(), |it| self.of(it));
        let (min, max) = (schema.get("minItems"), schema.get("maxItems"));
        match max.filter(|max| min == Some(max)) {
            Some(size) => format!("list of {size} {unique}{items}"),
            None => format!("list of {unique}{items}"),
        }
    }

    fn object(&self, schema: &Value) -> String {
        let fields: Vec<String> = entries(schema, "properties")
            .map(|(name, field)| {
                let optional = if is_required(schema, name) { "" } else { " (optional)" };
                format!("{}{optional}: {}", code(name), self.of(field))
            })
            .collect();
        if !fields.is_empty() {
            return format!("object with {}", fields.join(", "));
        }
        let by_number = entries(schema, "patternProperties").next();
        match (by_number, schema.get("additionalProperties")) {
            (Some((_, value)), _) => format!("map of numbers to {}", self.of(value)),
            (None, Some(value)) if value.is_object() => {
                format!("map of texts to {}", self.of(value))
            }
            _ => "object".to_owned(),
        }
    }

    /// Returns the last cell of a field: its marks and its description.
    pub(super) fn note(&self, field: &Value) -> String {
        let mut notes = Vec::new();
        if self.is_encrypted(field) {
            notes.push("**Encrypted.** Functions with Inngest's encryption middleware receive it decrypted.".to_owned());
        }
        if field.get("deprecated").is_some_and(|it| it == true) {
            notes.push("**Deprecated.**".to_owned());
        }
        notes.extend(field.get("description").and_then(Value::as_str).map(cell));
        notes.join(" ")
    }

    fn is_encrypted(&self, field: &Value) -> bool {
        let name = field.get("$ref").and_then(Value::as_str).and_then(definition_name);
        let target = name.and_then(|name| self.root.get(&name));
        let has_mark = |it: &Value| is_encrypted(it);
        has_mark(field)
            || target.is_some_and(has_mark)
            || list(field, "anyOf").iter().any(|it| self.is_encrypted(it))
    }
}

/// Returns text for a cell of a table, in which a line break or a bar would end the cell.
pub(super) fn cell(text: &str) -> String {
    text.trim().replace("\n\n", "<br>").replace('\n', " ").replace('|', "\\|")
}

/// Returns text as code, for a cell of a table.
pub(super) fn code(text: &str) -> String {
    let text = cell(text);
    let fence = if text.contains('`') { "``" } else { "`" };
    let space =
        if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Returns the anchor that GitHub and most other tools give to a heading.
pub(super) fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|it| it.is_alphanumeric() || "-_".contains(*it)).collect()
}
