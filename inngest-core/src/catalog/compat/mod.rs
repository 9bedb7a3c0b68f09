//! Compares two schemas: does a reader accept everything that a writer may send?
//!
//! A writer is closed: it sends only keys that its schema lists. A reader is open: it ignores keys that its schema
//! does not list, unless the schema forbids them. Annotations, such as `description`, are ignored.
//!
//! [`problems`] returns no problem only if every value is accepted. It can return a problem where there is
//! none, since each alternative of the writer must be accepted by a single alternative of the reader.

mod branch;
mod contents;
mod describe;
mod disjoint;
mod expand;
mod rules;
mod stripped;

use std::collections::HashSet;
use std::fmt;

use serde_json::Value;

use branch::{Branch, Kind};
use describe::describe;
use disjoint::lacks_required;
use expand::Document;
pub(crate) use stripped::stripped;

/// The maximum number of pairs of alternatives that are compared. After it, the result is undecided.
const MAX_STEPS: usize = 200_000;
/// The maximum nesting of values that are compared. Below it, the result is undecided.
const MAX_DEPTH: usize = 100;

/// A value that one side may send and the other side does not accept.
///
/// See [catalog](crate::guide::catalog) in the guide.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The path to the value in the event, by serialized names: `data.account.id`. Every element of a list is
    /// `[]`, and every other key of a map is `[*]`.
    pub path: String,
    /// How certain it is that the value is not accepted.
    pub verdict: Verdict,
    /// The difference between what is sent and what is read: `sent as a string, read as a boolean`.
    pub text: String,
}

/// How certain a [`Problem`] is.
///
/// See [catalog](crate::guide::catalog) in the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verdict {
    /// It is undecided whether the value is accepted. This counts as a failure, too.
    CannotTell,
    /// Some values are not accepted.
    Breaks,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unsure = if self.verdict == Verdict::CannotTell { " (cannot tell)" } else { "" };
        write!(f, "{}: {}{unsure}", self.path, self.text)
    }
}

/// Returns what the writer may send and the reader does not accept. Both schemas describe an event's `data` and are
/// self-contained.
pub(crate) fn problems(writer: &Value, reader: &Value) -> Vec<Problem> {
    if stripped(writer) == stripped(reader) {
        return Vec::new();
    }
    Comparison::new(writer, reader, false).run(writer, reader)
}

/// Returns whether both schemas describe the same values and treat unlisted keys alike, however they are written.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    let within = |one, other| Comparison::new(one, other, true).run(one, other).is_empty();
    stripped(one) == stripped(other) || within(one, other) && within(other, one)
}

/// A comparison of a writer's schema with a reader's.
struct Comparison<'a> {
    writer: Document<'a>,
    reader: Document<'a>,
    /// Whether the reader is closed, too, so that a comparison in both directions finds every difference.
    exact: bool,
    /// The pairs of schemas whose comparison has begun and not ended. A pair that occurs again inside itself, in a
    /// recursive type, adds no problem.
    open: HashSet<(String, String)>,
    /// How often an open pair occurred again.
    assumptions: usize,
    /// The pairs without a problem, unless an open pair occurred in them. So a type that is used often is compared
    /// once.
    accepted: HashSet<(String, String)>,
    /// The pairs with a problem, for comparisons that do not need the problem itself.
    refused: HashSet<(String, String)>,
    steps: usize,
}

/// The result of comparing a writer's alternative with a reader's.
enum Outcome {
    Accepted,
    /// The values themselves are not accepted, or this is undecided.
    Mismatch(Verdict),
    /// What is inside the values is not accepted.
    Inside(Vec<Problem>),
}

impl<'a> Comparison<'a> {
    fn new(writer: &'a Value, reader: &'a Value, exact: bool) -> Comparison<'a> {
        let (writer, reader) = (Document::new(writer), Document::new(reader));
        let (open, accepted, refused) = Default::default();
        Comparison { writer, reader, exact, open, assumptions: 0, accepted, refused, steps: 0 }
    }

    fn run(&mut self, writer: &Value, reader: &Value) -> Vec<Problem> {
        self.values("data", writer, reader)
    }

    /// Compares the schemas of one value.
    fn values(&mut self, path: &str, writer: &Value, reader: &Value) -> Vec<Problem> {
        let pair = (writer.to_string(), reader.to_string());
        if self.accepted.contains(&pair) {
            return Vec::new();
        }
        if self.refused.contains(&pair) {
            return vec![breaks(path, "differs".to_owned())];
        }
        if self.open.contains(&pair) {
            self.assumptions += 1;
            return Vec::new();
        }
        if self.open.len() > MAX_DEPTH {
            return vec![cannot_tell(path, "too deeply nested to be compared".to_owned())];
        }
        let sides = [self.writer.expand(writer), self.reader.expand(reader)];
        let (sent, read) = match sides {
            [Ok(sent), Ok(read)] => (sent, read),
            [Err(problem), _] => {
                return vec![cannot_tell(
                    path,
                    format!("the schema sent cannot be read: {problem}"),
                )];
            }
            [_, Err(problem)] => {
                return vec![cannot_tell(
                    path,
                    format!("the schema read cannot be read: {problem}"),
                )];
            }
        };
        let assumptions = self.assumptions;
        self.open.insert(pair.clone());
        let problems = self.alternatives(path, &sent, &read);
        self.open.remove(&pair);
        if problems.is_empty() && self.assumptions == assumptions {
            self.accepted.insert(pair);
        } else if self.exact && !problems.is_empty() {
            self.refused.insert(pair);
        }
        problems
    }

    fn alternatives(&mut self, path: &str, sent: &[Branch], read: &[Branch]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut mismatched = Vec::new();
        let mut verdict = Verdict::CannotTell;
        for branch in sent {
            match self.alternative(path, branch, read) {
                Outcome::Accepted => {}
                Outcome::Inside(inside) => problems.extend(inside),
                Outcome::Mismatch(found) => {
                    mismatched.push(branch);
                    verdict = verdict.max(found);
                }
            }
        }
        if !mismatched.is_empty() {
            let read: Vec<&Branch> = read.iter().collect();
            let text = match &read[..] {
                [] => "sent, but not allowed".to_owned(),
                _ => format!("sent as {}, read as {}", describe(&mismatched), describe(&read)),
            };
            problems.push(Problem { path: path.to_owned(), verdict, text });
        }
        problems.dedup();
        problems
    }

    /// Compares an alternative of the writer with all alternatives of the reader.
    fn alternative(&mut self, path: &str, sent: &Branch, read: &[Branch]) -> Outcome {
        let mut closest: Option<(_, Vec<Problem>)> = None;
        let mut verdict = Verdict::Breaks;
        let several = read.len() > 1;
        for candidate in read {
            if several && self.other_variant(sent, candidate) {
                continue;
            }
            match self.branch(path, sent, candidate) {
                Outcome::Accepted => return self.exclusive(path, sent, candidate, read),
                Outcome::Mismatch(found) => verdict = verdict.min(found),
                Outcome::Inside(problems) => {
                    let verdict = problems.iter().map(|problem| problem.verdict).max();
                    let lacks = lacks_required(&sent.kind, &candidate.kind);
                    let distance = (lacks, verdict, problems.len());
                    if closest.as_ref().is_none_or(|(closest, _)| distance < *closest) {
                        closest = Some((distance, problems));
                    }
                }
            }
        }
        match closest {
            _ if !self.exact && self.accepts_others(sent, read) => Outcome::Accepted,
            Some((_, problems)) => Outcome::Inside(problems),
            None => Outcome::Mismatch(verdict),
        }
    }

    fn branch(&mut self, path: &str, sent: &Branch, read: &Branch) -> Outcome {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Outcome::Inside(vec![cannot_tell(path, "too large to be compared".to_owned())]);
        }
        if sent.kind.json_type() != read.kind.json_type() {
            return Outcome::Mismatch(Verdict::Breaks);
        }
        if sent.encrypted != read.encrypted {
            let how = |encrypted| if encrypted { "encrypted" } else { "in clear" };
            let text = format!("sent {}, read {}", how(sent.encrypted), how(read.encrypted));
            return Outcome::Inside(vec![breaks(path, text)]);
        }
        if self.exact && sent.open != read.open {
            return Outcome::Mismatch(Verdict::Breaks);
        }
        match self.kind(path, &sent.kind, &read.kind) {
            Outcome::Accepted => match self.broken_rule(sent, read) {
                None => Outcome::Accepted,
                Some(verdict) => Outcome::Mismatch(verdict),
            },
            outcome => outcome,
        }
    }

    fn kind(&mut self, path: &str, sent: &Kind, read: &Kind) -> Outcome {
        let accepted = match (sent, read) {
            (Kind::Object(sent), Kind::Object(read)) => {
                return inside(self.objects(path, sent, read));
            }
            (Kind::Array(sent), Kind::Array(read)) => return inside(self.arrays(path, sent, read)),
            (Kind::Const(Value::Array(_) | Value::Object(_)), Kind::Array(_) | Kind::Object(_)) => {
                return Outcome::Mismatch(Verdict::CannotTell);
            }
            (Kind::Const(value), read) => read.admits(value),
            (Kind::Number(sent), Kind::Number(read)) => sent.is_within(*read),
            (Kind::Text(sent), Kind::Text(read)) => read.min <= sent.min && sent.max <= read.max,
            (Kind::Boolean, Kind::Boolean) | (Kind::Null, Kind::Null) => true,
            _ => false,
        };
        if accepted { Outcome::Accepted } else { Outcome::Mismatch(Verdict::Breaks) }
    }
}

fn inside(problems: Vec<Problem>) -> Outcome {
    if problems.is_empty() { Outcome::Accepted } else { Outcome::Inside(problems) }
}

fn breaks(path: &str, text: String) -> Problem {
    Problem { path: path.to_owned(), verdict: Verdict::Breaks, text }
}

fn cannot_tell(path: &str, text: String) -> Problem {
    Problem { path: path.to_owned(), verdict: Verdict::CannotTell, text }
}
