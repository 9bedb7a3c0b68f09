//! The text of a failed expectation.

use std::fmt::Write as _;

use serde_json::Value;

use super::diff::Difference;
use super::record::{Line, Sent, View};

/// No cell of a table is wider.
const MAX_CELL: usize = 48;
/// What lies before the first difference of two long values is cut to so much.
const CONTEXT: usize = 12;
const MAX_DIFFERENCES: usize = 12;
const MAX_EVENTS: usize = 5;
const MAX_LINES: usize = 5;

/// Paragraphs, with an empty line between them.
pub(super) struct Report(String);

impl Report {
    pub(super) fn new(head: String) -> Report {
        Report(head)
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    pub(super) fn line(&mut self, text: &str) {
        self.0.push_str("\n\n");
        self.0.push_str(text);
    }

    fn paragraph(&mut self, title: &str, rows: &[Vec<String>]) {
        if !rows.is_empty() {
            self.line(&format!("{title}:{}", table(rows)));
        }
    }

    /// Events, counted by name, with the lines that sent them.
    pub(super) fn sent(&mut self, title: &str, sent: &[Sent]) {
        if sent.is_empty() {
            self.line("nothing was sent");
        }
        self.paragraph(
            title,
            &by_name(sent.iter().map(|sent| (sent.event.name.as_str(), sent.line))),
        );
    }

    /// What a test may have taken for sent, and is not; and what of `name` was sent before the scope.
    pub(super) fn not_sent(&mut self, view: &View, name: &str) {
        let row = |(sent, why): &(Sent, String)| {
            vec![sent.line.to_string(), sent.event.name.clone(), why.clone()]
        };
        let rows: Vec<_> = view.not_accepted.iter().map(row).collect();
        self.paragraph("tried, but not accepted", &cut(rows, MAX_EVENTS));

        let row = |refused: &super::record::Refused| {
            vec![refused.line.to_string(), refused.error.clone()]
        };
        let rows: Vec<_> = view.refused.iter().map(row).collect();
        self.paragraph("refused by the client, before it was sent", &cut(rows, MAX_EVENTS));

        let before = view.before.iter().filter(|sent| sent.event.name == name);
        let before = before.map(|sent| (name, sent.line));
        self.paragraph("sent before this scope", &by_name(before));
    }

    /// Events and their data.
    pub(super) fn data(&mut self, title: &str, sent: &[&Sent]) {
        let row = |sent: &&Sent| {
            vec![sent.line.to_string(), shortened(&sent.event.data.to_string(), 2 * MAX_CELL)]
        };
        self.paragraph(title, &cut(sent.iter().map(row).collect(), MAX_EVENTS));
    }

    pub(super) fn differences(&mut self, title: &str, columns: [&str; 2], found: &[Difference]) {
        let [one, other] = columns;
        let mut rows = vec![vec!["field".to_owned(), one.to_owned(), other.to_owned()]];
        rows.extend(found.iter().map(|difference| {
            let (one, other) = pair(difference.expected.as_ref(), difference.found.as_ref());
            vec![difference.path.clone(), one, other]
        }));
        self.paragraph(title, &cut(rows, MAX_DIFFERENCES + 1));
    }
}

/// One row for each name and line: how often, the name, the line. Names and counts that stand in the row
/// above are left out.
fn by_name<'a>(sent: impl Iterator<Item = (&'a str, Line)>) -> Vec<Vec<String>> {
    let mut names: Vec<(&str, Vec<(Line, usize)>)> = Vec::new();
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

/// No more than so many rows, and how many more there were.
fn cut(mut rows: Vec<Vec<String>>, max: usize) -> Vec<Vec<String>> {
    let more = rows.len().saturating_sub(max);
    if more > 1 {
        rows.truncate(max);
        rows.push(vec![format!("and {more} more")]);
    }
    rows
}

/// Rows as lines, indented, their columns aligned.
fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        // A row of one cell is a remark.
        let rows = rows.iter().filter(|row| row.len() > column + 1);
        rows.map(|row| row[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.iter().map(Vec::len).max().unwrap_or(0)).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a string does not fail.
            let _ = write!(line, "  {cell:width$}");
        }
        text.push('\n');
        text.push_str(line.trim_end());
    }
    text
}

/// Two values that differ, cut so that the difference is seen.
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
