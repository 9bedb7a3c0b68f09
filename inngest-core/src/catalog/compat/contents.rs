//! Compares what is inside lists and objects.

use serde_json::{Value, json};

use super::branch::{Array, Object, Rest, implies, may_match};
use super::describe::range;
use super::{Comparison, Problem, Verdict, breaks};
use crate::event::json_path::{Step, render};

impl Comparison<'_> {
    pub(super) fn arrays(&mut self, path: &str, sent: &Array, read: &Array) -> Vec<Problem> {
        let mut problems = Vec::new();
        if sent.min < read.min || sent.max > read.max {
            let count = |array: &Array| range(array.min, array.max, "element");
            let text = format!("sent with {}, read with {}", count(sent), count(read));
            problems.push(breaks(path, text));
        }
        let listed = sent.prefix.len().max(read.prefix.len());
        for index in (0..listed).take_while(|index| (*index as u64) < sent.max) {
            let path = render(path, &[Step::Index(index)]);
            problems.extend(self.values(&path, sent.element(index), read.element(index)));
        }
        if sent.max.min(read.max) > listed as u64 {
            problems.extend(self.values(&format!("{path}[]"), &sent.items, &read.items));
        }
        problems
    }

    pub(super) fn objects(&mut self, path: &str, sent: &Object, read: &Object) -> Vec<Problem> {
        let mut problems = Vec::new();
        for name in read.required.difference(&sent.required) {
            let may_be_sent = sent.properties.contains_key(name) || !sent.is_closed();
            let how = if may_be_sent { "not always sent" } else { "not sent" };
            problems.push(breaks(&key(path, name), format!("{how}, but required")));
        }
        if let Some(problem) = counts(path, sent, read) {
            problems.push(problem);
        }
        for (name, schema) in &sent.properties {
            problems.extend(self.listed_key(&key(path, name), name, schema, read));
        }
        // A required key that is not listed is sent with any value.
        let unlisted = sent.unlisted().unwrap_or(Value::Bool(true));
        for name in sent.required.iter().filter(|name| !sent.properties.contains_key(*name)) {
            problems.extend(self.listed_key(&key(path, name), name, &unlisted, read));
        }
        for (pattern, schema) in &sent.patterns {
            problems.extend(self.pattern(path, pattern, schema, sent, read));
        }
        problems.extend(self.unlisted_keys(path, sent, read));
        problems
    }

    /// Compares a key that the writer lists.
    fn listed_key(
        &mut self,
        path: &str,
        name: &str,
        schema: &Value,
        read: &Object,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut matches = read.properties.contains_key(name);
        let mut may_match_more = false;
        if let Some(expected) = read.properties.get(name) {
            problems.extend(self.values(path, schema, expected));
        }
        for (pattern, expected) in
            read.patterns.iter().filter(|(pattern, _)| may_match(pattern, name))
        {
            problems.extend(self.values(path, schema, expected));
            // `may_match` is exact for the two patterns of integers. For any other one, it returns true.
            let is_known = !may_match(pattern, "x");
            matches |= is_known;
            may_match_more |= !is_known;
        }
        if let (false, Some(expected)) = (matches, self.read_rest(read)) {
            problems.extend(unsure(may_match_more, self.values(path, schema, &expected)));
        }
        problems.extend(self.names(path, &json!({ "const": name }), read));
        problems
    }

    /// Compares the writer's keys that match a pattern.
    fn pattern(
        &mut self,
        path: &str,
        pattern: &str,
        schema: &Value,
        sent: &Object,
        read: &Object,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let any_key = format!("{path}[*]");
        for (name, expected) in &read.properties {
            if may_match(pattern, name) && !sent.properties.contains_key(name) {
                problems.extend(self.values(&key(path, name), schema, expected));
            }
        }
        for expected in read.patterns.values() {
            problems.extend(self.values(&any_key, schema, expected));
        }
        let matches = read.patterns.keys().any(|other| implies(pattern, other));
        if let (false, Some(expected)) = (matches, self.read_rest(read)) {
            let rest = self.values(&any_key, schema, &expected);
            problems.extend(unsure(!read.patterns.is_empty(), rest));
        }
        let names = json!({ "type": "string", "pattern": pattern });
        problems.extend(self.names(&any_key, &names, read));
        problems
    }

    /// Compares the writer's keys that are neither listed nor match a pattern.
    fn unlisted_keys(&mut self, path: &str, sent: &Object, read: &Object) -> Vec<Problem> {
        let mut problems = Vec::new();
        let any_key = format!("{path}[*]");
        let forbids = |object: &Object| object.rest == Rest::Schema(false.into());
        if self.exact && sent.is_closed() && forbids(sent) != forbids(read) {
            problems.push(breaks(path, "only one side forbids other keys".to_owned()));
        }
        let Some(schema) = sent.unlisted() else { return problems };
        for (name, expected) in &read.properties {
            if !sent.properties.contains_key(name) {
                let key = key(path, name);
                let mut found = self.values(&key, &schema, expected);
                for problem in found.iter_mut().filter(|problem| problem.path == key) {
                    problem.text.insert_str(0, "as a key that is not listed, ");
                }
                problems.extend(found);
            }
        }
        for expected in read.patterns.values().cloned().chain(self.read_rest(read)) {
            problems.extend(self.values(&any_key, &schema, &expected));
        }
        problems.extend(self.names(&any_key, &strings(&sent.names), read));
        problems
    }

    fn names(&mut self, path: &str, sent: &Value, read: &Object) -> Vec<Problem> {
        if read.names == Value::Bool(true) {
            return Vec::new();
        }
        let mut problems = self.values(path, sent, &strings(&read.names));
        for problem in &mut problems {
            problem.text.insert_str(0, "the key is ");
        }
        problems
    }

    /// Returns the schema that the reader applies to keys that it does not list, or `None` if it ignores them.
    fn read_rest(&self, read: &Object) -> Option<Value> {
        match &read.rest {
            Rest::Schema(schema) => Some(schema.clone()),
            Rest::Unlisted if self.exact => Some(false.into()),
            Rest::Unlisted | Rest::Any => None,
        }
    }
}

impl Object {
    /// Returns the schema of the keys that are sent without being listed, or `None` if there are none.
    pub(super) fn unlisted(&self) -> Option<Value> {
        match &self.rest {
            Rest::Schema(Value::Bool(false)) | Rest::Unlisted => None,
            Rest::Schema(schema) => Some(schema.clone()),
            Rest::Any => Some(true.into()),
        }
    }

    /// Returns whether only listed keys are sent.
    pub(super) fn is_closed(&self) -> bool {
        self.patterns.is_empty() && self.unlisted().is_none()
    }
}

fn key(path: &str, name: &str) -> String {
    render(path, &[Step::Key(name.to_owned())])
}

/// Restricts a schema of keys to strings, since every key is one.
fn strings(names: &Value) -> Value {
    json!({ "allOf": [{ "type": "string" }, names] })
}

/// Marks `problems` as undecided if `is_unsure`: whether the schema applies is then not known.
fn unsure(is_unsure: bool, mut problems: Vec<Problem>) -> Vec<Problem> {
    for problem in problems.iter_mut().filter(|_| is_unsure) {
        problem.verdict = Verdict::CannotTell;
    }
    problems
}

fn counts(path: &str, sent: &Object, read: &Object) -> Option<Problem> {
    let min = sent.min.max(sent.required.len() as u64);
    let most = if sent.is_closed() { sent.properties.len() as u64 } else { u64::MAX };
    let max = sent.max.min(most);
    (min < read.min || max > read.max).then(|| {
        let (sent, read) = (range(min, max, "key"), range(read.min, read.max, "key"));
        breaks(path, format!("sent with {sent}, read with {read}"))
    })
}
