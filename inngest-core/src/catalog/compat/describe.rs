//! Describes alternatives of schemas for the texts of problems.

use serde_json::Value;

use super::branch::{Branch, Kind, Number, Object};

/// The maximum number of alternatives that a text lists.
const MAX_LISTED: usize = 8;
/// The maximum number of characters of a schema in a text.
const MAX_RULE: usize = 80;

/// Describes alternatives as a part of a sentence: `a string or null`.
pub(super) fn describe(branches: &[&Branch]) -> String {
    let is_any = branches.len() == 6 && branches.iter().all(|branch| is_any(branch));
    if is_any {
        return "any value".to_owned();
    }
    let mut parts: Vec<String> = Vec::new();
    for branch in branches {
        let part = describe_one(branch);
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    if parts.len() > MAX_LISTED {
        let more = parts.len() - MAX_LISTED;
        parts.truncate(MAX_LISTED);
        parts.push(format!("{more} more"));
    }
    match &parts[..] {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => parts.concat(),
    }
}

/// Describes a range of numbers of `noun`s: `at most 2 keys`.
pub(super) fn range(min: u64, max: u64, noun: &str) -> String {
    let plural = |number| if number == 1 { "" } else { "s" };
    match (min, max) {
        (0, u64::MAX) => format!("any number of {noun}s"),
        (_, u64::MAX) => format!("at least {min} {noun}{}", plural(min)),
        _ if min == max => format!("{min} {noun}{}", plural(min)),
        (0, _) => format!("at most {max} {noun}{}", plural(max)),
        _ => format!("{min} to {max} {noun}s"),
    }
}

fn is_any(branch: &Branch) -> bool {
    branch.rules.is_empty()
        && match &branch.kind {
            Kind::Const(_) => false,
            Kind::Object(object) => object.rest == super::branch::Rest::Any,
            Kind::Text(text) => (text.min, text.max) == (0, u64::MAX),
            Kind::Number(number) => *number == Number::any(),
            Kind::Array(array) => array.items == Value::Bool(true) && array.max == u64::MAX,
            Kind::Boolean | Kind::Null => true,
        }
}

fn describe_one(branch: &Branch) -> String {
    let mut text = match &branch.kind {
        Kind::Null | Kind::Const(Value::Null) => "null".to_owned(),
        Kind::Boolean => "a boolean".to_owned(),
        Kind::Const(value) => return value.to_string(),
        Kind::Number(number) => describe_number(*number),
        Kind::Text(text) if (text.min, text.max) == (0, u64::MAX) => "a string".to_owned(),
        Kind::Text(text) => format!("a string of {}", range(text.min, text.max, "character")),
        Kind::Array(_) => "a list".to_owned(),
        Kind::Object(object) => describe_object(object),
    };
    for (keyword, value) in &branch.rules {
        let mut rule = value.to_string();
        if let Some((end, _)) = rule.char_indices().nth(MAX_RULE) {
            rule.truncate(end);
            rule.push('…');
        }
        text.extend([" with `", keyword, "`: ", &rule]);
    }
    text
}

fn describe_number(number: Number) -> String {
    let noun = match number {
        Number { integer: true, .. } => "an integer",
        Number { single: true, .. } => return "a 32-bit float".to_owned(),
        _ => "a number",
    };
    let any = Number::any();
    match (number.min > any.min, number.max < any.max) {
        (false, false) => noun.to_owned(),
        (true, false) => format!("{noun} from {}", number.min),
        (false, true) => format!("{noun} up to {}", number.max),
        (true, true) => format!("{noun} from {} to {}", number.min, number.max),
    }
}

/// Describes an object by what distinguishes it from other variants.
fn describe_object(object: &Object) -> String {
    if let Some(key) = object.only_key() {
        return format!("an object with `{key}`");
    }
    let tags = object
        .required
        .iter()
        .filter_map(|name| Some((name, object.properties.get(name)?.get("const")?)));
    let tags: Vec<String> = tags.map(|(name, value)| format!("`{name}`: {value}")).collect();
    match &tags[..] {
        [] => "an object".to_owned(),
        tags => format!("an object with {}", tags.join(" and ")),
    }
}
