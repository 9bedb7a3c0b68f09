//! The text of a failed expectation.

use std::fmt::Write as _;

use serde_json::Value;

use super::diff::Difference;
use super::record::{ClientRejection, ScopeView, SentEvent, SourceLine};

/// The maximum width of a table cell, in characters.
const MAX_CELL: usize = 48;
/// How many characters of two long values are kept before their first difference.
const CONTEXT: usize = 12;
const MAX_DIFFERENCES: usize = 12;
const MAX_EVENTS: usize = 5;
const MAX_LINES: usize = 5;

/// Paragraphs, separated by empty lines.
pub(super) struct FailureReport(String);

impl FailureReport {
    pub(super) fn new(head: String) -> FailureReport {
        FailureReport(head)
    }

    /// Reports events that no expectation has claimed, and the number of claimed ones.
    pub(super) fn of_unclaimed(unclaimed: &[SentEvent], claimed: usize) -> FailureReport {
        let events = if unclaimed.len() == 1 { "event" } else { "events" };
        let mut report = FailureReport::new(format!(
            "expected nothing else, found {} {events} besides the {claimed} expected",
            unclaimed.len()
        ));
        report.add_sent("sent but not expected", unclaimed);
        report.add_data("data", &unclaimed.iter().collect::<Vec<_>>());
        report
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    pub(super) fn add_line(&mut self, text: &str) {
        self.0.push_str("\n\n");
        self.0.push_str(text);
    }

    fn add_table(&mut self, title: &str, rows: &[Vec<String>]) {
        if !rows.is_empty() {
            self.add_line(&format!("{title}:{}", table(rows)));
        }
    }

    /// Adds events, counted by name, with the lines that sent them.
    pub(super) fn add_sent(&mut self, title: &str, sent: &[SentEvent]) {
        if sent.is_empty() {
            self.add_line("nothing was sent");
        }
        self.add_table(
            title,
            &by_name(sent.iter().map(|sent| (sent.event.name.as_str(), sent.line))),
        );
    }

    /// Adds the events that were attempted without being accepted, that the client rejected, and, of those
    /// named `name`, that were sent before the scope.
    pub(super) fn add_not_sent(&mut self, view: &ScopeView, name: &str) {
        let row = |(sent, reason): &(SentEvent, String)| {
            vec![sent.line.to_string(), sent.event.name.clone(), reason.clone()]
        };
        let rows: Vec<_> = view.not_accepted.iter().map(row).collect();
        self.add_table("attempted, but not accepted", &cut(rows, MAX_EVENTS));

        let row =
            |rejection: &ClientRejection| vec![rejection.line.to_string(), rejection.error.clone()];
        let rows: Vec<_> = view.client_rejections.iter().map(row).collect();
        self.add_table("rejected by the client before sending", &cut(rows, MAX_EVENTS));

        let before = view.sent_before.iter().filter(|sent| sent.event.name == name);
        let before = before.map(|sent| (name, sent.line));
        self.add_table("sent before this scope", &by_name(before));
    }

    /// Adds events with their data.
    pub(super) fn add_data(&mut self, title: &str, sent: &[&SentEvent]) {
        let row = |sent: &&SentEvent| {
            vec![sent.line.to_string(), shortened(&sent.event.data.to_string(), 2 * MAX_CELL)]
        };
        self.add_table(title, &cut(sent.iter().map(row).collect(), MAX_EVENTS));
    }

    pub(super) fn add_differences(
        &mut self,
        title: &str,
        columns: [&str; 2],
        found: &[Difference],
    ) {
        let [one, other] = columns;
        let mut rows = vec![vec!["field".to_owned(), one.to_owned(), other.to_owned()]];
        rows.extend(found.iter().map(|difference| {
            let (one, other) = pair(difference.expected.as_ref(), difference.found.as_ref());
            vec![difference.path.clone(), one, other]
        }));
        self.add_table(title, &cut(rows, MAX_DIFFERENCES + 1));
    }
}

/// Returns a row for each name and line: count, name, line. Counts and names that repeat the row above are
/// left empty.
fn by_name<'a>(sent: impl Iterator<Item = (&'a str, SourceLine)>) -> Vec<Vec<String>> {
    let mut names: Vec<(&str, Vec<(SourceLine, usize)>)> = Vec::new();
    for (name, line) in sent {
        let index = names.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            names.push((name, Vec::new()));
            names.len() - 1
        });
        let lines = &mut names[index].1;
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, count)) => *count += 1,
            None => lines.push((line, 1)),
        }
    }
    let mut rows = Vec::new();
    for (name, lines) in names {
        let mut first =
            [lines.iter().map(|(_, count)| count).sum::<usize>().to_string(), name.to_owned()];
        let several = lines.len() > 1;
        let texts = lines.into_iter().map(|(line, count)| match count {
            count if several && count > 1 => vec![format!("{line} ({count} times)")],
            _ => vec![line.to_string()],
        });
        for line in cut(texts.collect(), MAX_LINES) {
            rows.push(std::mem::take(&mut first).into_iter().chain(line).collect());
        }
    }
    rows
}

/// Limits the rows to `max`, and adds a row with the number of rows left out.
fn cut(mut rows: Vec<Vec<String>>, max: usize) -> Vec<Vec<String>> {
    let more = rows.len().saturating_sub(max);
    if more > 1 {
        rows.truncate(max);
        rows.push(vec![format!("and {more} more")]);
    }
    rows
}

/// Renders rows as indented lines with aligned columns.
fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        // A row of one cell is a remark that may be wider than its column.
        let rows = rows.iter().filter(|row| row.len() > column + 1);
        rows.map(|row| row[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.iter().map(Vec::len).max().unwrap_or(0)).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a `String` cannot fail.
            let _ = write!(line, "  {cell:width$}");
        }
        text.push('\n');
        text.push_str(line.trim_end());
    }
    text
}

/// Renders two different values, cut so that the difference is visible.
fn pair(one: Option<&Value>, other: Option<&Value>) -> (String, String) {
    let text = |value: Option<&Value>| value.map_or("(missing)".to_owned(), Value::to_string);
    let (one, other) = (text(one), text(other));
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let long = one.chars().count().max(other.chars().count()) > MAX_CELL;
    let skipped = if long && same > CONTEXT { same - CONTEXT } else { 0 };
    let cell = |text: String| {
        if skipped == 0 {
            return shortened(&text, MAX_CELL);
        }
        let rest: String = text.chars().skip(skipped).collect();
        shortened(&format!("…{rest}"), MAX_CELL)
    };
    (cell(one), cell(other))
}

fn shortened(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max - 1).chain(['…']).collect()
}
