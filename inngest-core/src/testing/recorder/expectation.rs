//! How many events there should be, against how many there are.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use super::diff;
use super::matcher::Wanted;
use super::record::{Sent, View};
use super::report::Report;

/// How many there should be.
#[derive(Clone, Copy)]
pub(super) enum Count {
    One,
    Exactly(usize),
}

pub(super) struct Expectation<W> {
    pub(super) count: Count,
    pub(super) wanted: W,
    /// For how long it was waited, if it was.
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

impl<W: Wanted> Expectation<W> {
    /// The events it is about, or a text that says what is wrong with how many they are.
    pub(super) fn check(&self, view: &View) -> Result<Vec<Sent>, String> {
        let found = self.found(view)?;
        match found.len().cmp(&self.count.number()) {
            Ordering::Equal => Ok(found),
            Ordering::Less => Err(self.too_few(view, &found)),
            Ordering::Greater => Err(self.too_many(view, &found)),
        }
    }

    /// Whether more events could change what [`check`](Self::check) says for the better, or, where it
    /// is about none, for the worse.
    pub(super) fn is_open(&self, view: &View) -> bool {
        let number = self.count.number();
        self.found(view).is_ok_and(|found| found.len() < number.max(1))
    }

    fn found(&self, view: &View) -> Result<Vec<Sent>, String> {
        let mut found = Vec::new();
        for sent in self.candidates(view) {
            if self.wanted.admits(sent)? {
                found.push(sent.clone());
            }
        }
        Ok(found)
    }

    fn candidates<'a>(&self, view: &'a View) -> impl Iterator<Item = &'a Sent> {
        view.sent.iter().filter(|sent| sent.event.name == self.wanted.name())
    }

    fn report(&self, view: &View, found: &[Sent]) -> Report {
        let within = self.within.map(|time| format!(" within {time:?}")).unwrap_or_default();
        let number = if found.is_empty() { "none".to_owned() } else { found.len().to_string() };
        let candidates = self.candidates(view).count();
        let among = if W::WHICH.is_empty() || candidates == 0 {
            String::new()
        } else {
            format!(" among {candidates}")
        };
        let (count, name) = (self.count, self.wanted.name());
        let mut report = Report::new(format!(
            "expected {count} `{name}`{which}{within}, found {number}{among}",
            which = W::WHICH
        ));
        let title = if found.is_empty() && candidates == 0 { "sent instead" } else { "sent" };
        report.sent(title, &view.sent);
        report.not_sent(view, name);
        report
    }

    fn too_few(&self, view: &View, found: &[Sent]) -> String {
        let mut report = self.report(view, found);
        let admitted = |sent: &Sent| self.wanted.admits(sent).is_ok_and(|admitted| admitted);
        let others: Vec<&Sent> = self.candidates(view).filter(|sent| !admitted(sent)).collect();
        let compared =
            others.iter().filter_map(|sent| Some((sent, self.wanted.differences(sent)?)));
        let closest = compared.min_by_key(|(_, differences)| differences.len());
        if let Some((sent, differences)) = closest {
            let title = format!("the closest, sent at {}, differs", sent.line);
            report.differences(&title, ["expected", "found"], &differences);
        } else {
            report.data("does not match", &others);
        }
        report.into_text()
    }

    fn too_many(&self, view: &View, found: &[Sent]) -> String {
        let mut report = self.report(view, found);
        match found {
            [one, other, ..] if self.count.number() > 0 => {
                let differences = diff::between(&one.event, &other.event, true);
                if differences.is_empty() {
                    report.line("the first two are the same in every field: was it sent twice?");
                } else {
                    let lines = [one.line.to_string(), other.line.to_string()];
                    let columns = if one.line == other.line {
                        ["first", "second"]
                    } else {
                        [lines[0].as_str(), lines[1].as_str()]
                    };
                    report.differences("the first two differ", columns, &differences);
                }
            }
            _ => report.data("found", &found.iter().collect::<Vec<_>>()),
        }
        report.into_text()
    }
}
