//! Decides whether a writer's alternative and a reader's alternative are disjoint: no value matches both.

use serde_json::Value;

use super::branch::{Array, Branch, Kind, Object, Rest, equal};
use super::expand::Document;
use super::{Comparison, Outcome, cannot_tell};

/// The maximum nesting that is compared. Values that are nested deeper count as possibly equal.
const MAX_DEPTH: usize = 4;

impl Comparison<'_> {
    /// Accepts the alternative `sent`, which matches `accepting`, unless a value of it may also match another
    /// alternative of the same `oneOf`: `oneOf` allows exactly one match.
    pub(super) fn exclusive(
        &mut self,
        path: &str,
        sent: &Branch,
        accepting: &Branch,
        read: &[Branch],
    ) -> Outcome {
        let excludes = |other: &Branch| {
            let mut pairs = accepting
                .one_of
                .iter()
                .flat_map(|one| other.one_of.iter().map(move |two| (one, two)));
            pairs.any(|(one, two)| one.0 == two.0 && one.1 != two.1)
        };
        for other in read.iter().filter(|other| excludes(other)) {
            if !self.disjoint(sent, other, 0) {
                let text = "may match two alternatives of a `oneOf`, which allows one".to_owned();
                return Outcome::Inside(vec![cannot_tell(path, text)]);
            }
        }
        Outcome::Accepted
    }

    /// Returns whether the reader's list of alternatives may grow, and `sent` is one that it does not list yet.
    pub(super) fn accepts_others(&mut self, sent: &Branch, read: &[Branch]) -> bool {
        let alike = |branch: &&Branch| branch.kind.json_type() == sent.kind.json_type();
        let listed: Vec<&Branch> = read.iter().filter(alike).collect();
        let open = listed.iter().any(|branch| branch.open && branch.encrypted == sent.encrypted);
        open && listed.iter().all(|branch| match &branch.kind {
            Kind::Const(value) => !value.is_object() && !value.is_array(),
            _ => self.other_variant(sent, branch),
        })
    }

    /// Returns whether both are variants of an enum, by different tags.
    pub(super) fn other_variant(&mut self, sent: &Branch, read: &Branch) -> bool {
        let (Kind::Object(sent), Kind::Object(read)) = (&sent.kind, &read.kind) else {
            return false;
        };
        if let (Some(one), Some(other)) = (sent.only_key(), read.only_key()) {
            return one != other;
        }
        let tags = sent
            .required
            .iter()
            .filter_map(|name| Some((sent.properties.get(name)?, read.properties.get(name)?)));
        tags.into_iter().any(|(sent, read)| {
            let constants = (constants(&mut self.writer, sent), constants(&mut self.reader, read));
            let (Some(sent), Some(read)) = constants else { return false };
            !sent.iter().any(|one| read.iter().any(|other| equal(one, other)))
        })
    }

    pub(super) fn disjoint(&mut self, sent: &Branch, read: &Branch, depth: usize) -> bool {
        match (&sent.kind, &read.kind) {
            _ if sent.kind.json_type() != read.kind.json_type() => true,
            (Kind::Const(Value::Array(_) | Value::Object(_)), _)
            | (_, Kind::Const(Value::Array(_) | Value::Object(_))) => false,
            (Kind::Const(value), kind) | (kind, Kind::Const(value)) => !kind.admits(value),
            (Kind::Number(sent), Kind::Number(read)) => sent.max < read.min || read.max < sent.min,
            (Kind::Text(sent), Kind::Text(read)) => sent.max < read.min || read.max < sent.min,
            (Kind::Array(sent), Kind::Array(read)) => self.disjoint_arrays(sent, read, depth),
            (Kind::Object(sent), Kind::Object(read)) => self.disjoint_objects(sent, read, depth),
            _ => false,
        }
    }

    fn disjoint_arrays(&mut self, sent: &Array, read: &Array, depth: usize) -> bool {
        let listed = sent.prefix.len().max(read.prefix.len());
        let always_sent = (0..listed).take_while(|index| (*index as u64) < sent.min);
        sent.max < read.min
            || read.max < sent.min
            || always_sent
                .into_iter()
                .any(|it| self.disjoint_values(sent.element(it), read.element(it), depth))
    }

    fn disjoint_objects(&mut self, sent: &Object, read: &Object, depth: usize) -> bool {
        let forbids_others = read.patterns.is_empty() && read.rest == Rest::Schema(false.into());
        sent.lacks_required(read)
            || sent.required.iter().any(|name| {
                match (sent.properties.get(name), read.properties.get(name)) {
                    (Some(sent), Some(read)) => self.disjoint_values(sent, read, depth),
                    (_, None) => forbids_others,
                    _ => false,
                }
            })
    }

    fn disjoint_values(&mut self, sent: &Value, read: &Value, depth: usize) -> bool {
        if depth == MAX_DEPTH {
            return false;
        }
        let (Ok(sent), Ok(read)) = (self.writer.expand(sent), self.reader.expand(read)) else {
            return false;
        };
        sent.iter().all(|sent| read.iter().all(|read| self.disjoint(sent, read, depth + 1)))
    }
}

impl Object {
    fn lacks_required(&self, read: &Object) -> bool {
        self.is_closed() && read.required.iter().any(|name| !self.properties.contains_key(name))
    }

    /// Returns the key of a variant that is tagged by its only key.
    pub(super) fn only_key(&self) -> Option<&str> {
        let is_closed = self.patterns.is_empty() && self.rest == Rest::Schema(false.into());
        let name = self.required.first().filter(|_| is_closed && self.properties.len() == 1)?;
        self.properties.contains_key(name).then_some(name)
    }
}

/// Returns whether the reader requires a key that the writer never sends.
pub(super) fn lacks_required(sent: &Kind, read: &Kind) -> bool {
    match (sent, read) {
        (Kind::Object(sent), Kind::Object(read)) => sent.lacks_required(read),
        _ => false,
    }
}

/// Returns the values of a schema that allows only a list of scalars.
fn constants(document: &mut Document<'_>, schema: &Value) -> Option<Vec<Value>> {
    let branches = document.expand(schema).ok()?;
    let constant = |branch: Branch| match branch.kind {
        Kind::Const(value) if !value.is_array() && !value.is_object() => Some(value),
        _ => None,
    };
    branches.into_iter().map(constant).collect()
}
