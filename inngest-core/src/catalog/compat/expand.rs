//! Reads a schema into its alternatives: `$ref`, `allOf`, `anyOf` and `oneOf` are resolved.

use serde_json::{Map, Value};

use super::branch::{Array, Branch, Kind, Number, Object, Rest, Text};

/// The largest integer that functions receive unchanged: numbers are 64-bit floats in JavaScript and in Inngest.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
/// The maximum number of alternatives. A schema with more is not compared.
const MAX_BRANCHES: usize = 4_096;
/// The maximum length of a chain of references and `allOf`s. A longer one counts as a cycle.
const MAX_DEPTH: usize = 64;

const OBJECT: &[&str] = &[
    "properties",
    "required",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
];
const ARRAY: &[&str] = &["items", "prefixItems", "minItems", "maxItems"];
const TEXT: &[&str] = &["minLength", "maxLength"];
const NUMBER: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
/// Keywords that are read apart from the types.
const GENERAL: &[&str] = &["type", "enum", "const", "$ref", "allOf", "anyOf", "oneOf"];
/// Keywords whose values are compared as text, and the JSON type that each restricts.
const RULES: &[(&str, usize)] = &[
    ("uniqueItems", 1),
    ("pattern", 2),
    ("contentEncoding", 2),
    ("contentMediaType", 2),
    ("multipleOf", 3),
];
/// Keywords that allow and forbid nothing, beside the extensions `x-..`.
const ANNOTATIONS: &[&str] = &[
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "$schema",
    "$id",
    "$defs",
    "definitions",
];
/// The extensions that have a meaning here.
pub(super) const OPEN: &str = "x-open";
pub(super) const ENCRYPTED: &str = "x-inngest-encrypted";

/// Returns whether a keyword allows and forbids nothing, and contains no other schemas.
pub(super) fn is_annotation(keyword: &str) -> bool {
    match keyword {
        OPEN | ENCRYPTED | "$defs" | "definitions" => false,
        _ => ANNOTATIONS.contains(&keyword) || keyword.starts_with("x-"),
    }
}

/// A self-contained schema, whose parts are expanded.
pub(super) struct Document<'a> {
    root: &'a Value,
    /// The number of `oneOf`s that were expanded.
    one_ofs: usize,
}

impl<'a> Document<'a> {
    pub(super) fn new(root: &'a Value) -> Document<'a> {
        Document { root, one_ofs: 0 }
    }

    /// Returns the alternatives of `schema`, a part of the document. The error states why it cannot be read.
    pub(super) fn expand(&mut self, schema: &Value) -> Result<Vec<Branch>, String> {
        self.branches(schema, 0)
    }

    fn branches(&mut self, schema: &Value, depth: usize) -> Result<Vec<Branch>, String> {
        if depth > MAX_DEPTH {
            return Err("its `$ref`s form a circle".to_owned());
        }
        let keywords = match schema {
            Value::Bool(true) => return Ok(Kind::all().map(Branch::new).into()),
            Value::Bool(false) => return Ok(Vec::new()),
            Value::Object(keywords) => keywords,
            other => {
                return Err(format!("a schema is an object or a boolean, but this is {other}"));
            }
        };
        let mut branches = own(keywords);
        if let Some(reference) = keywords.get("$ref") {
            let target = self.resolve(reference)?;
            branches = product(&branches, &self.branches(target, depth + 1)?)?;
        }
        for part in list(keywords, "allOf") {
            branches = product(&branches, &self.branches(part, depth + 1)?)?;
        }
        for keyword in ["anyOf", "oneOf"].into_iter().filter(|it| keywords.contains_key(*it)) {
            let union = self.union(list(keywords, keyword), keyword == "oneOf", depth)?;
            branches = product(&branches, &union)?;
        }
        let flag = |keyword: &str| keywords.get(keyword) == Some(&Value::Bool(true));
        let unevaluated = keywords.get("unevaluatedProperties");
        for branch in &mut branches {
            branch.encrypted |= flag(ENCRYPTED);
            branch.open |= flag(OPEN);
            // `properties` contains the keys of all parts at this point.
            if let (Kind::Object(object), Some(schema)) = (&mut branch.kind, unevaluated) {
                if object.rest == Rest::Unlisted {
                    object.rest = Rest::Schema(schema.clone());
                }
            }
        }
        Ok(branches)
    }

    fn union(
        &mut self,
        parts: &[Value],
        exclusive: bool,
        depth: usize,
    ) -> Result<Vec<Branch>, String> {
        let number = self.one_ofs;
        self.one_ofs += usize::from(exclusive);
        let mut union = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let mut branches = self.branches(part, depth + 1)?;
            if exclusive {
                for branch in &mut branches {
                    branch.one_of.push((number, index));
                }
            }
            union.extend(branches);
        }
        Ok(union)
    }

    fn resolve(&self, reference: &Value) -> Result<&'a Value, String> {
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let target = pointer.and_then(|pointer| self.root.pointer(&percent_decoded(pointer)));
        target.ok_or_else(|| format!("its `$ref` {reference} leads to no schema"))
    }
}

/// Returns the text in which `%41` is replaced by `A`: a reference is a part of a URL.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match decoded {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn product(ones: &[Branch], others: &[Branch]) -> Result<Vec<Branch>, String> {
    if ones.len() * others.len() > MAX_BRANCHES {
        return Err(format!("it has more than {MAX_BRANCHES} alternatives"));
    }
    Ok(ones.iter().flat_map(|one| others.iter().filter_map(|other| one.intersect(other))).collect())
}

/// Returns the alternatives by the keywords that do not lead to other schemas for the same value.
fn own(keywords: &Map<String, Value>) -> Vec<Branch> {
    let names: Option<Vec<&str>> = match keywords.get("type") {
        Some(Value::String(name)) => Some(vec![name]),
        Some(Value::Array(names)) => Some(names.iter().filter_map(Value::as_str).collect()),
        _ => None,
    };
    let has_type = |name: &str| names.as_ref().is_none_or(|names| names.contains(&name));
    let typed = [
        has_type("object").then(|| Kind::Object(object(keywords, names.is_some()))),
        has_type("array").then(|| Kind::Array(array(keywords))),
        has_type("string").then(|| {
            Kind::Text(Text {
                min: size(keywords, "minLength", 0),
                max: size(keywords, "maxLength", u64::MAX),
            })
        }),
        (has_type("number") || has_type("integer"))
            .then(|| Kind::Number(number(keywords, !has_type("number")))),
        has_type("boolean").then_some(Kind::Boolean),
        has_type("null").then_some(Kind::Null),
    ];
    let typed = typed
        .into_iter()
        .flatten()
        .map(|kind| Branch { rules: rules(keywords, &kind), ..Branch::new(kind) });
    let typed: Vec<Branch> = typed.collect();
    let only = keywords.get("const").map(std::slice::from_ref);
    let values = keywords.get("enum").and_then(Value::as_array).map(Vec::as_slice);
    [only, values].into_iter().flatten().fold(typed, |branches, values| {
        let values = values.iter().map(|value| Branch::new(constant(value)));
        values
            .flat_map(|value| branches.iter().filter_map(move |it| it.intersect(&value)))
            .collect()
    })
}

/// Returns the rules for values of `kind` that are compared as text, and the keywords that are not understood.
fn rules(keywords: &Map<String, Value>, kind: &Kind) -> Vec<(String, Value)> {
    let applies = |keyword: &str, value: &Value| match keyword {
        "format" => match kind {
            Kind::Text(_) => true,
            Kind::Number(_) => format_bounds(value).is_none(),
            _ => false,
        },
        "exclusiveMinimum" | "exclusiveMaximum" => matches!(kind, Kind::Number(it) if !it.integer),
        "uniqueItems" if value == &Value::Bool(false) => false,
        _ => {
            let of = RULES.iter().find(|(rule, _)| *rule == keyword);
            let known = [OBJECT, ARRAY, TEXT, NUMBER, GENERAL, ANNOTATIONS]
                .iter()
                .any(|it| it.contains(&keyword));
            of.map_or(!known && !keyword.starts_with("x-"), |(_, json_type)| {
                *json_type == kind.json_type()
            })
        }
    };
    let rules = keywords.iter().filter(|(keyword, value)| applies(keyword, value));
    rules.map(|(keyword, value)| (keyword.clone(), value.clone())).collect()
}

/// Returns the bounds of a number's `format`, and whether it is a 32-bit float.
fn format_bounds(format: &Value) -> Option<(f64, f64)> {
    let safe = MAX_SAFE_INTEGER;
    Some(match format.as_str()? {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "int128" | "int" => (-safe, safe),
        "uint8" => (0.0, u8::MAX.into()),
        "uint16" => (0.0, u16::MAX.into()),
        "uint32" => (0.0, u32::MAX.into()),
        "uint64" | "uint128" | "uint" => (0.0, safe),
        "float" => (f32::MIN.into(), f32::MAX.into()),
        "double" => (f64::MIN, f64::MAX),
        _ => return None,
    })
}

fn number(keywords: &Map<String, Value>, integer: bool) -> Number {
    let format = keywords.get("format");
    let bound = |keyword: &str| keywords.get(keyword).and_then(Value::as_f64);
    let mut number = Number { integer, ..Number::any() };
    number.single = format.is_some_and(|format| format == "float");
    if let Some((min, max)) = format.and_then(format_bounds) {
        (number.min, number.max) = (min, max);
    }
    let (mut above, mut below) = (bound("exclusiveMinimum"), bound("exclusiveMaximum"));
    // For fractions, an exclusive bound is one of `RULES` instead.
    if integer {
        above = above.map(|it| it.floor() + 1.0);
        below = below.map(|it| it.ceil() - 1.0);
    }
    for min in [bound("minimum"), above].into_iter().flatten() {
        number.min = number.min.max(min);
    }
    for max in [bound("maximum"), below].into_iter().flatten() {
        number.max = number.max.min(max);
    }
    if integer {
        number.min = number.min.max(-MAX_SAFE_INTEGER).ceil();
        number.max = number.max.min(MAX_SAFE_INTEGER).floor();
    }
    number
}

fn array(keywords: &Map<String, Value>) -> Array {
    let prefix = list(keywords, "prefixItems").to_vec();
    let items = keywords.get("items").cloned().unwrap_or(Value::Bool(true));
    let closed = if items == Value::Bool(false) { prefix.len() as u64 } else { u64::MAX };
    let (min, max) =
        (size(keywords, "minItems", 0), size(keywords, "maxItems", u64::MAX).min(closed));
    Array { prefix, items, min, max }
}

fn object(keywords: &Map<String, Value>, has_type: bool) -> Object {
    if !has_type && !keywords.keys().any(|keyword| OBJECT.contains(&keyword.as_str())) {
        return Object::any();
    }
    let schemas = |keyword: &str| {
        let schemas = keywords.get(keyword).and_then(Value::as_object).into_iter().flatten();
        schemas.map(|(name, schema)| (name.clone(), schema.clone())).collect()
    };
    let rest = keywords.get("additionalProperties");
    Object {
        properties: schemas("properties"),
        required: list(keywords, "required")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        patterns: schemas("patternProperties"),
        rest: rest.map_or(Rest::Unlisted, |rest| Rest::Schema(rest.clone())),
        names: keywords.get("propertyNames").cloned().unwrap_or(Value::Bool(true)),
        min: size(keywords, "minProperties", 0),
        max: size(keywords, "maxProperties", u64::MAX),
    }
}

fn constant(value: &Value) -> Kind {
    if value.is_null() { Kind::Null } else { Kind::Const(value.clone()) }
}

fn list<'a>(keywords: &'a Map<String, Value>, keyword: &str) -> &'a [Value] {
    keywords.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn size(keywords: &Map<String, Value>, keyword: &str, default: u64) -> u64 {
    keywords.get(keyword).and_then(Value::as_u64).unwrap_or(default)
}
