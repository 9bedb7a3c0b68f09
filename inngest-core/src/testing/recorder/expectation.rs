//! Compares the number of matching events with the expected number.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use super::diff;
use super::matcher::Matcher;
use super::record::{ScopeView, SentEvent};
use super::report::FailureReport;

/// The expected number of events.
#[derive(Clone, Copy)]
pub(super) enum Count {
    One,
    Exactly(usize),
}

pub(super) struct Expectation<M> {
    pub(super) count: Count,
    pub(super) matcher: M,
    /// The time limit, for expectations that wait.
    pub(super) within: Option<Duration>,
}

impl Count {
    pub(super) fn number(self) -> usize {
        match self {
            Count::One => 1,
            Count::Exactly(number) => number,
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Count::One => f.write_str("one"),
            Count::Exactly(0) => f.write_str("no"),
            Count::Exactly(number) => write!(f, "exactly {number}"),
        }
    }
}

impl<M: Matcher> Expectation<M> {
    /// Returns the matching events, or the text of the failure if their number is not the expected one.
    pub(super) fn check(&self, view: &ScopeView) -> Result<Vec<SentEvent>, String> {
        let found = self.matching(view)?;
        match found.len().cmp(&self.count.number()) {
            Ordering::Equal => Ok(found),
            Ordering::Less => Err(self.too_few(view, &found)),
            Ordering::Greater => Err(self.too_many(view, &found)),
        }
    }

    /// Returns whether to wait for more events: whether they could make [`check`](Self::check) succeed
    /// or, if no event is expected, fail.
    pub(super) fn is_undecided(&self, view: &ScopeView) -> bool {
        let number = self.count.number();
        self.matching(view).is_ok_and(|found| found.len() < number.max(1))
    }

    fn matching(&self, view: &ScopeView) -> Result<Vec<SentEvent>, String> {
        let mut found = Vec::new();
        for sent in self.candidates(view) {
            if self.matcher.matches(sent)? {
                found.push(sent.clone());
            }
        }
        Ok(found)
    }

    fn candidates<'a>(&self, view: &'a ScopeView) -> impl Iterator<Item = &'a SentEvent> {
        view.sent.iter().filter(|sent| self.matcher.concerns(sent))
    }

    fn report(&self, view: &ScopeView, found: &[SentEvent]) -> FailureReport {
        let within = self.within.map(|time| format!(" within {time:?}")).unwrap_or_default();
        let number = if found.is_empty() { "none".to_owned() } else { found.len().to_string() };
        let candidates = self.candidates(view).count();
        let among = if M::DESCRIPTION.is_empty() || candidates == 0 {
            String::new()
        } else {
            format!(" among {candidates}")
        };
        let (count, name) = (self.count, self.matcher.name());
        let mut report = FailureReport::new(format!(
            "expected {count} `{name}`{description}{within}, found {number}{among}",
            description = M::DESCRIPTION
        ));
        let title = if found.is_empty() && candidates == 0 { "sent instead" } else { "sent" };
        report.add_sent(title, &view.sent);
        report.add_not_sent(view, name);
        report
    }

    fn too_few(&self, view: &ScopeView, found: &[SentEvent]) -> String {
        let mut report = self.report(view, found);
        let matches = |sent: &SentEvent| self.matcher.matches(sent).is_ok_and(|matches| matches);
        let others: Vec<&SentEvent> = self.candidates(view).filter(|sent| !matches(sent)).collect();
        let compared =
            others.iter().filter_map(|sent| Some((sent, self.matcher.differences(sent)?)));
        let closest = compared.min_by_key(|(_, differences)| differences.len());
        if let Some((sent, differences)) = closest {
            let title = format!("the closest event, sent at {}, differs", sent.line);
            report.add_differences(&title, ["expected", "found"], &differences);
        } else {
            report.add_data("does not match", &others);
        }
        report.into_text()
    }

    fn too_many(&self, view: &ScopeView, found: &[SentEvent]) -> String {
        let mut report = self.report(view, found);
        match found {
            [one, other, ..] if self.count.number() > 0 => {
                let differences = diff::between(&one.event, &other.event, true);
                if differences.is_empty() {
                    report.add_line(
                        "the first two are equal in every field: was the event sent twice?",
                    );
                } else {
                    let lines = [one.line.to_string(), other.line.to_string()];
                    let columns = if one.line == other.line {
                        ["first", "second"]
                    } else {
                        [lines[0].as_str(), lines[1].as_str()]
                    };
                    report.add_differences("the first two differ", columns, &differences);
                }
            }
            _ => report.add_data("found", &found.iter().collect::<Vec<_>>()),
        }
        report.into_text()
    }
}
