//! What a schema allows, as alternatives of one JSON type each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// One alternative of a schema: values of one JSON type, or a single value.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) kind: Kind,
    /// Rules that are compared as text: (keyword, value).
    pub(super) rules: Vec<(String, Value)>,
    /// The schema is marked `x-inngest-encrypted`.
    pub(super) encrypted: bool,
    /// The alternative is one of a list marked `x-open`, which may grow.
    pub(super) open: bool,
    /// The alternatives of each `oneOf` that this one is made of: (number of the `oneOf`, index). A value must match
    /// only one of them.
    pub(super) one_of: Vec<(usize, usize)>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Null,
    Boolean,
    Const(Value),
    Number(Number),
    Text(Text),
    Array(Array),
    Object(Object),
}

/// A range of numbers, in which both bounds are allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) integer: bool,
    pub(super) min: f64,
    pub(super) max: f64,
    /// Numbers are read as 32-bit floats.
    pub(super) single: bool,
}

/// Texts with a number of characters in a range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub(super) min: u64,
    pub(super) max: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Array {
    pub(super) prefix: Vec<Value>,
    /// The schema of the elements after `prefix`.
    pub(super) items: Value,
    pub(super) min: u64,
    pub(super) max: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) properties: BTreeMap<String, Value>,
    pub(super) required: BTreeSet<String>,
    pub(super) patterns: BTreeMap<String, Value>,
    pub(super) rest: Rest,
    /// The schema of the keys.
    pub(super) names: Value,
    pub(super) min: u64,
    pub(super) max: u64,
}

/// The schema of the keys that are in neither `properties` nor `patternProperties`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rest {
    /// The schema restricts no object.
    Any,
    /// The schema has no `additionalProperties`: a writer adds no keys, and a reader ignores them.
    Unlisted,
    Schema(Value),
}

impl Branch {
    pub(super) fn new(kind: Kind) -> Branch {
        let (rules, one_of) = (Vec::new(), Vec::new());
        Branch { kind, rules, encrypted: false, open: false, one_of }
    }

    /// Returns the values that both allow, or `None` if there are none.
    pub(super) fn intersect(&self, other: &Branch) -> Option<Branch> {
        let kind = self.kind.intersect(&other.kind)?;
        let mut rules = self.rules.clone();
        rules.extend(other.rules.iter().filter(|rule| !self.rules.contains(rule)).cloned());
        if let (Kind::Object(one), Kind::Object(two)) = (&self.kind, &other.kind) {
            // The intersection of the objects then allows too much. That is safe for a writer's schema. For a
            // reader's schema, the rule `OVERLAP` makes the comparison undecided.
            if one.is_unsure_beside(two) || two.is_unsure_beside(one) {
                rules.push((OVERLAP.to_owned(), "beside other keys".into()));
            }
        }
        Some(Branch {
            kind,
            rules,
            encrypted: self.encrypted || other.encrypted,
            open: self.open || other.open,
            one_of: [&self.one_of[..], &other.one_of[..]].concat(),
        })
    }
}

impl Kind {
    /// Returns one kind for each JSON type, without a restriction.
    pub(super) fn all() -> [Kind; 6] {
        [
            Kind::Object(Object::any()),
            Kind::Array(Array { prefix: Vec::new(), items: true.into(), min: 0, max: u64::MAX }),
            Kind::Text(Text { min: 0, max: u64::MAX }),
            Kind::Number(Number::any()),
            Kind::Boolean,
            Kind::Null,
        ]
    }

    /// Returns the JSON type: the index of the kind in [`all`](Self::all).
    pub(super) fn json_type(&self) -> usize {
        match self {
            Kind::Object(_) | Kind::Const(Value::Object(_)) => 0,
            Kind::Array(_) | Kind::Const(Value::Array(_)) => 1,
            Kind::Text(_) | Kind::Const(Value::String(_)) => 2,
            Kind::Number(_) | Kind::Const(Value::Number(_)) => 3,
            Kind::Boolean | Kind::Const(Value::Bool(_)) => 4,
            Kind::Null | Kind::Const(Value::Null) => 5,
        }
    }

    /// Returns whether the scalar `value` is allowed.
    pub(super) fn admits(&self, value: &Value) -> bool {
        match (self, value) {
            (Kind::Const(own), _) => equal(own, value),
            (Kind::Null, Value::Null) | (Kind::Boolean, Value::Bool(_)) => true,
            (Kind::Number(own), Value::Number(number)) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                own.min <= number && number <= own.max && (!own.integer || number.fract() == 0.0)
            }
            (Kind::Text(own), Value::String(text)) => {
                let length = text.chars().count() as u64;
                own.min <= length && length <= own.max
            }
            _ => false,
        }
    }

    fn intersect(&self, other: &Kind) -> Option<Kind> {
        match (self, other) {
            (Kind::Const(value), kind) | (kind, Kind::Const(value)) => {
                // Rules for lists and objects beside a constant are not read.
                let admitted = match (kind, value) {
                    (Kind::Array(_), Value::Array(_)) | (Kind::Object(_), Value::Object(_)) => true,
                    _ => kind.admits(value),
                };
                admitted.then(|| Kind::Const(value.clone()))
            }
            (Kind::Number(one), Kind::Number(two)) => one.intersect(*two).map(Kind::Number),
            (Kind::Text(one), Kind::Text(two)) => {
                let text = Text { min: one.min.max(two.min), max: one.max.min(two.max) };
                (text.min <= text.max).then_some(Kind::Text(text))
            }
            (Kind::Array(one), Kind::Array(two)) => one.intersect(two).map(Kind::Array),
            (Kind::Object(one), Kind::Object(two)) => Some(Kind::Object(one.intersect(two))),
            _ => (self.json_type() == other.json_type()).then(|| self.clone()),
        }
    }
}

impl Number {
    pub(super) fn any() -> Number {
        Number { integer: false, min: f64::MIN, max: f64::MAX, single: false }
    }

    /// Returns whether `reader` accepts each of these numbers and reads it unchanged.
    pub(super) fn is_within(self, reader: Number) -> bool {
        // A 32-bit float holds the integers up to this one.
        let exact = self.min.min(-self.max) >= -16_777_216.0;
        reader.min <= self.min
            && self.max <= reader.max
            && (self.integer || !reader.integer)
            && (self.single || !reader.single || self.integer && exact)
    }

    fn intersect(self, other: Number) -> Option<Number> {
        let number = Number {
            integer: self.integer || other.integer,
            min: self.min.max(other.min),
            max: self.max.min(other.max),
            single: self.single || other.single,
        };
        (number.min <= number.max).then_some(number)
    }
}

impl Array {
    /// Returns the schema of the element at `index`.
    pub(super) fn element(&self, index: usize) -> &Value {
        self.prefix.get(index).unwrap_or(&self.items)
    }

    fn intersect(&self, other: &Array) -> Option<Array> {
        let length = self.prefix.len().max(other.prefix.len());
        let prefix = (0..length).map(|index| both(self.element(index), other.element(index)));
        let array = Array {
            prefix: prefix.collect(),
            items: both(&self.items, &other.items),
            min: self.min.max(other.min),
            max: self.max.min(other.max),
        };
        (array.min <= array.max).then_some(array)
    }
}

impl Object {
    pub(super) fn any() -> Object {
        Object {
            properties: BTreeMap::new(),
            required: BTreeSet::new(),
            patterns: BTreeMap::new(),
            rest: Rest::Any,
            names: true.into(),
            min: 0,
            max: u64::MAX,
        }
    }

    fn intersect(&self, other: &Object) -> Object {
        match (&self.rest, &other.rest) {
            (Rest::Any, _) => return other.clone(),
            (_, Rest::Any) => return self.clone(),
            _ => {}
        }
        let patterns = self.patterns.keys().chain(other.patterns.keys());
        let patterns =
            patterns.map(|name| (name.clone(), both(&self.pattern(name), &other.pattern(name))));
        let names = self.properties.keys().chain(other.properties.keys());
        let properties =
            names.map(|name| (name.clone(), both(&self.property(name), &other.property(name))));
        Object {
            properties: properties.collect(),
            required: self.required.union(&other.required).cloned().collect(),
            patterns: patterns.collect(),
            rest: match (&self.rest, &other.rest) {
                (Rest::Schema(one), Rest::Schema(two)) => Rest::Schema(both(one, two)),
                (Rest::Schema(schema), _) | (_, Rest::Schema(schema)) => {
                    Rest::Schema(schema.clone())
                }
                _ => Rest::Unlisted,
            },
            names: both(&self.names, &other.names),
            min: self.min.max(other.min),
            max: self.max.min(other.max),
        }
    }

    /// Returns whether it is undecided which of `rest` and `patterns` applies to a key of the other schema.
    fn is_unsure_beside(&self, other: &Object) -> bool {
        let lists = |name: &String| self.properties.contains_key(name);
        matches!(self.rest, Rest::Schema(_))
            && !self.patterns.is_empty()
            && !(other.properties.keys().all(lists)
                && other.patterns.keys().eq(self.patterns.keys()))
    }

    /// Returns the schema of the keys that match a pattern, of this or of the other schema of an intersection.
    fn pattern(&self, pattern: &str) -> Value {
        match (self.patterns.get(pattern), &self.rest) {
            (Some(schema), _) => schema.clone(),
            (None, Rest::Schema(schema)) if self.patterns.is_empty() => schema.clone(),
            _ => true.into(),
        }
    }

    /// Returns the schema of a key that is listed here or in the other schema of an intersection.
    fn property(&self, name: &str) -> Value {
        match (self.properties.get(name), &self.rest) {
            (Some(schema), _) => schema.clone(),
            (None, Rest::Schema(schema)) if !self.patterns.keys().any(|it| may_match(it, name)) => {
                schema.clone()
            }
            _ => true.into(),
        }
    }
}

/// Returns a schema for the values that both schemas allow.
fn both(one: &Value, two: &Value) -> Value {
    match (one, two) {
        (Value::Bool(true), schema) | (schema, Value::Bool(true)) => schema.clone(),
        _ if one == two => one.clone(),
        _ => serde_json::json!({ "allOf": [one, two] }),
    }
}

/// Compares two JSON values, in which `1` and `1.0` are the same number.
pub(super) fn equal(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => one == two || one.as_f64() == two.as_f64(),
        _ => one == two,
    }
}

/// The rule of objects for which it is undecided which schema applies to a key.
pub(super) const OVERLAP: &str = "patternProperties";

/// The patterns of maps whose keys are integers.
const UNSIGNED: &str = r"^\d+$";
const SIGNED: &str = r"^-?\d+$";

/// Returns whether `key` may match `pattern`: true if the pattern is not understood.
pub(super) fn may_match(pattern: &str, key: &str) -> bool {
    let digits = match pattern {
        UNSIGNED => key,
        SIGNED => key.strip_prefix('-').unwrap_or(key),
        _ => return true,
    };
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether every key that matches `pattern` is known to match `other`.
pub(super) fn implies(pattern: &str, other: &str) -> bool {
    pattern == other || (pattern, other) == (UNSIGNED, SIGNED)
}
