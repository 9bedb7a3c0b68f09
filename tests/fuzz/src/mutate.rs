//! A mutator of JSON text: it changes a value or a key, so that most of what it returns is JSON too.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Replaces the JSON in `data[..size]`, whose buffer is `data[..max_size]`, with a JSON text that differs in one place,
/// and returns its size. Returns `None` if the input is no JSON, or the result is too long.
///
/// `words` are keys and values that are likely to mean something to the code under test.
pub fn mutate_json(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    words: &[&str],
) -> Option<usize> {
    let mut root: Value = serde_json::from_slice(&data[..size]).ok()?;
    let mut mutator = Mutator { rng: Rng::with_seed(seed.into()), words, donor: Value::Null };
    mutator.donor = mutator.pick(&root).clone();
    mutator.mutate(&mut root);
    let text = root.to_string();
    if text.len() > max_size.min(data.len()) {
        return None;
    }
    data[..text.len()].copy_from_slice(text.as_bytes());
    Some(text.len())
}

struct Mutator<'a> {
    rng: Rng,
    words: &'a [&'a str],
    /// A part of the value, which may be copied to another place.
    donor: Value,
}

impl Mutator<'_> {
    /// Returns a part of `value`, or all of it.
    fn pick<'v>(&mut self, value: &'v Value) -> &'v Value {
        let inner = match value {
            Value::Array(items) if !items.is_empty() => Some(&items[self.rng.usize(..items.len())]),
            Value::Object(fields) if !fields.is_empty() => {
                fields.values().nth(self.rng.usize(..fields.len()))
            }
            _ => None,
        };
        match inner {
            Some(inner) if self.rng.u8(..4) > 0 => self.pick(inner),
            _ => value,
        }
    }

    /// Changes a part of `value`, or all of it.
    fn mutate(&mut self, value: &mut Value) {
        let goes_inside = self.rng.u8(..4) > 0;
        match value {
            Value::Array(items) if !items.is_empty() && goes_inside => {
                let index = self.rng.usize(..items.len());
                self.mutate(&mut items[index]);
            }
            Value::Object(fields) if !fields.is_empty() && goes_inside => {
                let index = self.rng.usize(..fields.len());
                if let Some(field) = fields.values_mut().nth(index) {
                    self.mutate(field);
                }
            }
            Value::Array(items) if self.rng.bool() => self.mutate_items(items),
            Value::Object(fields) if self.rng.bool() => self.mutate_fields(fields),
            _ => *value = self.replacement(value),
        }
    }

    fn mutate_items(&mut self, items: &mut Vec<Value>) {
        let index = self.rng.usize(..=items.len());
        match items.get(index).cloned() {
            Some(_) if self.rng.bool() => drop(items.remove(index)),
            Some(copy) => items.insert(self.rng.usize(..=index), copy),
            None => items.push(self.leaf()),
        }
    }

    fn mutate_fields(&mut self, fields: &mut Map<String, Value>) {
        let index = self.rng.usize(..=fields.len());
        let key = fields.keys().nth(index).cloned();
        match (key, self.rng.u8(..3)) {
            (Some(key), 0) => drop(fields.remove(&key)),
            (Some(key), 1) => {
                let value = fields.remove(&key).unwrap_or_default();
                fields.insert(self.word(), value);
            }
            _ => {
                let value = if self.rng.bool() { self.donor.clone() } else { self.leaf() };
                fields.insert(self.word(), value);
            }
        }
    }

    fn replacement(&mut self, value: &Value) -> Value {
        match self.rng.u8(..6) {
            0 => self.donor.clone(),
            1 => json!([value]),
            2 => json!({ self.word(): value }),
            _ => self.leaf(),
        }
    }

    fn leaf(&mut self) -> Value {
        match self.rng.u8(..12) {
            0 => Value::Null,
            1 => json!({}),
            2 => json!([]),
            3 => json!(self.rng.bool()),
            4 => json!(self.rng.u8(..4)),
            5 => json!(self.rng.u64(..) >> self.rng.u8(..64)),
            6 => json!(-(self.rng.i64(0..) >> self.rng.u8(..63))),
            7 => json!(f64::from_bits(self.rng.u64(..))),
            8 => json!(f64::from(self.rng.i32(..)) / 8.0),
            _ => json!(self.word()),
        }
    }

    fn word(&mut self) -> String {
        self.rng.choice(self.words).copied().unwrap_or_default().to_owned()
    }
}
