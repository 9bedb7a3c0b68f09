//! Checks that the data of an event matches its schema.

use serde_json::{Map, Number, Value};

use super::Catalog;
use super::bundle::wire_schema;
use super::contract::{Contract, event_title};
use super::error::CatalogError;
use super::schema::{entries, list, target, types};
use crate::event::json_path::{self, Step};
use crate::event::{InngestEvent, data_json};

/// Keywords that restrict no value, and those that are checked together with another one or not at all.
const NOT_CHECKED: &[&str] = &[
    "$comment",
    "$defs",
    "contentEncoding",
    "contentMediaType",
    "default",
    "deprecated",
    "description",
    "examples",
    "format",
    "pattern",
    "readOnly",
    "title",
    "writeOnly",
];

impl Catalog {
    /// Checks that an event's data, as it would be sent, matches the schema of its type.
    ///
    /// `schemars` derives the schema from the type and from most of serde's attributes, but not from what
    /// `serialize_with` or a hand-written `Serialize` writes. Call this method in a test with values of such types,
    /// or check every event that a test sends, with `testing::Recorder::check_with`.
    ///
    /// A `format`, other than the range of an integer, and the `pattern` of a string are not checked.
    ///
    /// # Errors
    ///
    /// - [`CatalogError::Mismatch`] if the data does not match.
    /// - [`CatalogError::UnknownEvent`] if the catalog does not contain the event, or not this version of it.
    /// - [`CatalogError::Unsupported`] if the schema has a keyword that this check does not support.
    /// - [`CatalogError::Event`] if the event cannot be serialized.
    /// - The errors of the events that were added: see [`json_schema`](Self::json_schema).
    pub fn check_event<E: InngestEvent>(&self, event: &E) -> Result<(), CatalogError> {
        self.check_data(E::NAME, E::VERSION, &data_json(event)?)
    }

    /// Checks the data of a version of the event `name`.
    pub(crate) fn check_data(
        &self,
        name: &str,
        version: Option<&str>,
        data: &Value,
    ) -> Result<(), CatalogError> {
        let contracts = self.checked_contracts()?;
        let key = |it: &Contract| (it.name.clone(), it.version.clone());
        let wanted = (name.to_owned().into(), version.map(|it| it.to_owned().into()));
        let Ok(index) = contracts.binary_search_by_key(&wanted, key) else {
            return Err(self.unknown_event(name, version));
        };
        let contract = &contracts[index];
        let root = wire_schema(name, contract);
        let mut check = Check { root: &root, path: Vec::new(), references: 0 };
        check.value(&root, data).map_err(|problem| match problem {
            Problem::Mismatch { path, text } => {
                CatalogError::Mismatch { event: contract.title(), path, problem: text }
            }
            Problem::Unsupported { path, keyword } => {
                CatalogError::Unsupported { event: name.to_owned(), path, keyword }
            }
        })
    }

    pub(super) fn unknown_event(&self, name: &str, version: Option<&str>) -> CatalogError {
        let versions = self.contracts.iter().filter(|it| it.name == name);
        let mut versions: Vec<String> = versions
            .map(|it| {
                it.version.as_ref().map_or("no version".to_owned(), |it| format!("version `{it}`"))
            })
            .collect();
        let hint = match versions.pop() {
            None => "add it with `.event::<..>()`, or its enum with `.events::<..>()`".to_owned(),
            Some(last) if versions.is_empty() => format!("it contains this event with {last}"),
            Some(last) => format!("it contains this event with {} and {last}", versions.join(", ")),
        };
        let event = event_title(name, version);
        CatalogError::UnknownEvent { event, catalog: self.name.clone(), hint }
    }
}

/// The reason why a value does not match.
enum Problem {
    Mismatch { path: String, text: String },
    Unsupported { path: String, keyword: String },
}

type Checked = Result<(), Problem>;

/// A check of a value, which is at `path` in the data.
struct Check<'a> {
    root: &'a Value,
    path: Vec<Step>,
    /// The number of references that were followed for the current value.
    references: usize,
}

impl<'a> Check<'a> {
    fn mismatch(&self, text: String) -> Checked {
        Err(Problem::Mismatch { path: json_path::render("data", &self.path), text })
    }

    fn unsupported(&self, keyword: &str) -> Checked {
        let path = json_path::render("data", &self.path);
        Err(Problem::Unsupported { path, keyword: keyword.to_owned() })
    }

    fn value(&mut self, schema: &'a Value, value: &Value) -> Checked {
        let keywords = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Object(keywords) => keywords,
            _ => return self.mismatch("must not be there".to_owned()),
        };
        self.kind(schema, value)?;
        for (keyword, argument) in keywords {
            self.keyword(schema, keyword, argument, value)?;
        }
        match value {
            Value::Object(object) => self.object(schema, object),
            Value::Array(items) => self.array(schema, items),
            Value::Number(number) => self.number(schema, number),
            Value::String(text) => self.size(schema, text.chars().count(), "Length", "characters"),
            Value::Null | Value::Bool(_) => Ok(()),
        }
    }

    fn at(&mut self, step: Step, schema: &'a Value, value: &Value) -> Checked {
        self.path.push(step);
        let references = std::mem::take(&mut self.references);
        let checked = self.value(schema, value);
        self.references = references;
        self.path.pop();
        checked
    }

    fn kind(&self, schema: &Value, value: &Value) -> Checked {
        let types = types(schema);
        let has_type = |it: &&str| match (*it, value) {
            ("integer", Value::Number(number)) => integer(number).is_some(),
            ("number", Value::Number(_))
            | ("null", Value::Null)
            | ("boolean", Value::Bool(_))
            | ("string", Value::String(_))
            | ("array", Value::Array(_))
            | ("object", Value::Object(_)) => true,
            _ => false,
        };
        if types.is_empty() || types.iter().any(has_type) {
            return Ok(());
        }
        self.mismatch(format!("is {}, but its type is {}", shown(value), types.join(" or ")))
    }

    /// Checks a keyword that applies to values of every type. Other keywords must be supported ones.
    fn keyword(
        &mut self,
        schema: &'a Value,
        keyword: &str,
        argument: &'a Value,
        value: &Value,
    ) -> Checked {
        match keyword {
            "$ref" => match target(self.root, schema) {
                // The limit stops at references that form a cycle.
                Some(target) if self.references < 64 => {
                    self.references += 1;
                    let checked = self.value(target, value);
                    self.references -= 1;
                    checked
                }
                _ => self.unsupported(keyword),
            },
            "allOf" => list(schema, keyword).iter().try_for_each(|it| self.value(it, value)),
            "anyOf" => self.alternatives(list(schema, keyword), value, false),
            "oneOf" => self.alternatives(list(schema, keyword), value, true),
            "not" => match self.value(argument, value) {
                Err(Problem::Mismatch { .. }) => Ok(()),
                Err(unsupported) => Err(unsupported),
                Ok(()) => self.mismatch(format!("is {}, which is excluded", shown(value))),
            },
            "const" if is_equal(argument, value) => Ok(()),
            "const" => self.mismatch(format!("is {}, not {}", shown(value), shown(argument))),
            "enum" if list(schema, keyword).iter().any(|it| is_equal(it, value)) => Ok(()),
            "enum" => self.mismatch(format!("is {}, not one of {argument}", shown(value))),
            "type"
            | "properties"
            | "patternProperties"
            | "additionalProperties"
            | "required"
            | "unevaluatedProperties"
            | "propertyNames"
            | "minProperties"
            | "maxProperties"
            | "items"
            | "prefixItems"
            | "minItems"
            | "maxItems"
            | "uniqueItems"
            | "minimum"
            | "maximum"
            | "exclusiveMinimum"
            | "exclusiveMaximum"
            | "minLength"
            | "maxLength" => Ok(()),
            keyword if NOT_CHECKED.contains(&keyword) || keyword.starts_with("x-") => Ok(()),
            _ => self.unsupported(keyword),
        }
    }

    /// Checks that an alternative matches, exactly one if `exactly_one`. The error is the one of the alternative
    /// that matches furthest, if the mismatch is inside the value.
    fn alternatives(
        &mut self,
        alternatives: &'a [Value],
        value: &Value,
        exactly_one: bool,
    ) -> Checked {
        let (mut matching, mut closest) = (0, None);
        for alternative in alternatives {
            match self.value(alternative, value) {
                Ok(()) if !exactly_one => return Ok(()),
                Ok(()) => matching += 1,
                Err(Problem::Mismatch { path, text }) => {
                    let longest = |it: &(String, String)| path.len() > it.0.len();
                    if closest.as_ref().is_none_or(longest) {
                        closest = Some((path, text));
                    }
                }
                Err(unsupported) => return Err(unsupported),
            }
        }
        let own = json_path::render("data", &self.path);
        match (matching, closest) {
            (1, _) => Ok(()),
            (0, Some((path, text))) if path != own || alternatives.len() == 1 => {
                Err(Problem::Mismatch { path, text })
            }
            (0, _) => self.mismatch(format!(
                "is {}, which matches none of {} alternatives",
                shown(value),
                alternatives.len()
            )),
            (several, _) => self.mismatch(format!(
                "is {}, which matches {several} alternatives, of which exactly one must match",
                shown(value)
            )),
        }
    }

    fn object(&mut self, schema: &'a Value, object: &Map<String, Value>) -> Checked {
        for key in list(schema, "required").iter().filter_map(Value::as_str) {
            if !object.contains_key(key) {
                return self.mismatch(format!("has no field `{key}`, which is required"));
            }
        }
        self.size(schema, object.len(), "Properties", "fields")?;
        for (key, value) in object {
            let step = || Step::Key(key.clone());
            let mut is_known = false;
            if let Some(property) = schema.get("properties").and_then(|it| it.get(key)) {
                is_known = true;
                self.at(step(), property, value)?;
            }
            for (pattern, inner) in entries(schema, "patternProperties") {
                match matches(pattern, key) {
                    Some(true) => {
                        is_known = true;
                        self.at(step(), inner, value)?;
                    }
                    Some(false) => {}
                    None => return self.unsupported("patternProperties"),
                }
            }
            if let Some(additional) = schema.get("additionalProperties").filter(|_| !is_known) {
                self.additional(key, additional, value)?;
            }
            if let Some(names) = schema.get("propertyNames") {
                self.at(step(), names, &Value::from(key.as_str()))?;
            }
        }
        if let Some(rest) = schema.get("unevaluatedProperties") {
            for (key, value) in object {
                if !self.evaluates(schema, key, object)? {
                    self.additional(key, rest, value)?;
                }
            }
        }
        Ok(())
    }

    /// Checks a field that the schema does not name.
    fn additional(&mut self, key: &str, schema: &'a Value, value: &Value) -> Checked {
        if schema == &Value::Bool(false) {
            return self.mismatch(format!("has a field `{key}`, which is not part of the schema"));
        }
        self.at(Step::Key(key.to_owned()), schema, value)
    }

    /// Returns whether a part of `schema` names the field `key` of `object`.
    fn evaluates(
        &mut self,
        schema: &'a Value,
        key: &str,
        object: &Map<String, Value>,
    ) -> Result<bool, Problem> {
        let is_named = schema.get("properties").is_some_and(|it| it.get(key).is_some());
        let is_matched =
            entries(schema, "patternProperties").any(|(it, _)| matches(it, key) == Some(true));
        if is_named || is_matched || schema.get("additionalProperties").is_some() {
            return Ok(true);
        }
        if let Some(target) = target(self.root, schema) {
            if self.evaluates(target, key, object)? {
                return Ok(true);
            }
        }
        let whole = Value::Object(object.clone());
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for part in list(schema, keyword) {
                let applies = match self.value(part, &whole) {
                    Ok(()) => true,
                    Err(Problem::Mismatch { .. }) => false,
                    Err(unsupported) => return Err(unsupported),
                };
                if applies && self.evaluates(part, key, object)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn array(&mut self, schema: &'a Value, items: &[Value]) -> Checked {
        self.size(schema, items.len(), "Items", "elements")?;
        let tuple = list(schema, "prefixItems");
        for (index, item) in items.iter().enumerate() {
            if let Some(inner) = tuple.get(index).or_else(|| schema.get("items")) {
                self.at(Step::Index(index), inner, item)?;
            }
        }
        let is_repeated =
            |index: usize| items[..index].iter().any(|it| is_equal(it, &items[index]));
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            if let Some(index) = (1..items.len()).find(|index| is_repeated(*index)) {
                let item = shown(&items[index]);
                return self
                    .mismatch(format!("contains {item} twice, but its elements are unique"));
            }
        }
        Ok(())
    }

    fn number(&self, schema: &Value, number: &Number) -> Checked {
        let format = schema.get("format").and_then(Value::as_str);
        let range = format.and_then(integer_range).zip(integer(number));
        if let Some(((min, max), _)) = range.filter(|((min, max), it)| it < min || it > max) {
            return self.mismatch(format!("is {number}, which is not between {min} and {max}"));
        }
        let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        let value = number.as_f64().unwrap_or(f64::NAN);
        let breaks = |keyword: &str, is_within: fn(&f64, &f64) -> bool| {
            limit(keyword)
                .filter(|limit| !is_within(&value, limit))
                .map(|it| (keyword.to_owned(), it))
        };
        let broken = breaks("minimum", f64::ge)
            .or_else(|| breaks("maximum", f64::le))
            .or_else(|| breaks("exclusiveMinimum", f64::gt))
            .or_else(|| breaks("exclusiveMaximum", f64::lt));
        match broken {
            Some((keyword, limit)) => {
                self.mismatch(format!("is {number}, but its `{keyword}` is {limit}"))
            }
            None => Ok(()),
        }
    }

    /// Checks the keywords `min..` and `max..` of `what`.
    fn size(&self, schema: &Value, size: usize, what: &str, unit: &str) -> Checked {
        let limit = |end: &str| schema.get(format!("{end}{what}")).and_then(Value::as_u64);
        let size = size as u64;
        if let Some(min) = limit("min").filter(|min| size < *min) {
            return self.mismatch(format!("has {size} {unit}; the minimum is {min}"));
        }
        match limit("max").filter(|max| size > *max) {
            Some(max) => self.mismatch(format!("has {size} {unit}; the maximum is {max}")),
            None => Ok(()),
        }
    }
}

/// Returns `number` as an integer if it is one, also if it is written with a fraction of zero.
fn integer(number: &Number) -> Option<i128> {
    let exact = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    #[expect(clippy::cast_possible_truncation, reason = "larger floats are saturated")]
    exact.or_else(|| number.as_f64().filter(|it| it.fract() == 0.0).map(|it| it as i128))
}

/// Returns the range of an integer type, by its `format`.
fn integer_range(format: &str) -> Option<(i128, i128)> {
    let (is_signed, bits) = match format.strip_prefix("uint") {
        Some(bits) => (false, bits),
        None => (true, format.strip_prefix("int")?),
    };
    let bits: u32 = if bits.is_empty() { 64 } else { bits.parse().ok()? };
    let power = |exponent: u32| 1_i128.checked_shl(exponent).filter(|it| *it > 0);
    Some(if is_signed {
        (-power(bits.checked_sub(1)?)?, power(bits - 1)? - 1)
    } else {
        (0, power(bits)? - 1)
    })
}

/// Returns whether `key` matches a pattern for the keys of maps, or `None` if the pattern is not one of
/// schemars'.
fn matches(pattern: &str, key: &str) -> Option<bool> {
    let digits = match pattern {
        r"^\d+$" => key,
        r"^-?\d+$" => key.strip_prefix('-').unwrap_or(key),
        _ => return None,
    };
    Some(!digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit()))
}

/// Returns whether two values are equal in JSON, in which 1 and 1.0 are.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64().is_some_and(|it| other.as_f64() == Some(it))
        }
        _ => one == other,
    }
}

/// Returns a short value as JSON, or the type of a long one.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > 40 => "a text".to_owned(),
        short => short.to_string(),
    }
}
