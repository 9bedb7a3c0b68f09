//! The texts of changes: what has changed, which functions it breaks, and how to fix it.

use std::fmt::{Formatter, Result};

use super::change::{Change, ChangeKind, first_break};
use crate::catalog::compat::{Problem, Verdict};
use crate::catalog::contract::event_title;

const BLESS: &str = "INNGEST_EVENTS=bless cargo test";

pub(super) fn write_breaks(f: &mut Formatter<'_>, changes: &[Change]) -> Result {
    f.write_str("a change of events breaks functions")?;
    write_changes(f, changes)?;
    let changes_data =
        |it: &Change| matches!(it.kind, ChangeKind::Forward(_) | ChangeKind::Backward(_));
    if changes.iter().any(changes_data) {
        write_fixes(f, &next_version(first_break(changes)))
    } else {
        write_fix_of_template(f)
    }
}

pub(super) fn write_behind(f: &mut Formatter<'_>, changes: &[Change]) -> Result {
    let new_version = changes.iter().find(|change| change.kind == ChangeKind::NewVersion);
    f.write_str("the lock of events is out of date; ")?;
    f.write_str(match new_version {
        Some(_) => "functions that are deployed must be able to read the new version",
        None => "nothing breaks",
    })?;
    write_changes(f, changes)?;
    if let Some(version) = new_version.and_then(|change| change.version.as_deref()) {
        f.write_str("\n\nA version does not route events:\n")?;
        write_routing(f, "", version)?;
    }
    write!(f, "\n\nTo update the lock: {BLESS}\nThen commit the file with the change.")
}

/// Writes a paragraph for each version of an event.
fn write_changes(f: &mut Formatter<'_>, changes: &[Change]) -> Result {
    let same_version =
        |one: &Change, other: &Change| (&one.event, &one.version) == (&other.event, &other.version);
    for group in changes.chunk_by(same_version) {
        write!(f, "\n\n{}:", event_title(&group[0].event, group[0].version.as_deref()))?;
        let is_new = group.iter().any(|change| change.kind == ChangeKind::NewVersion);
        let (mut forward, mut backward) = (Vec::new(), Vec::new());
        for change in group {
            match &change.kind {
                ChangeKind::Forward(problem) => forward.push(problem),
                ChangeKind::Backward(problem) => backward.push(problem),
                kind => write_line(f, kind, is_new)?,
            }
        }
        write_problems(f, "New events break functions that are already deployed", &forward)?;
        let title = "Events that were already sent (delayed, retried, replayed) break functions that \
                     expect the new data";
        write_problems(f, title, &backward)?;
    }
    Ok(())
}

/// Writes a change that is not a problem in the data.
fn write_line(f: &mut Formatter<'_>, kind: &ChangeKind, is_new: bool) -> Result {
    let template = |template: &Option<String>| match template {
        Some(template) => format!("`{template}`"),
        None => "none".to_owned(),
    };
    f.write_str("\n  ")?;
    match kind {
        ChangeKind::New => f.write_str("New event."),
        ChangeKind::NewVersion => f.write_str("New version."),
        ChangeKind::Removed => f.write_str(
            "No longer in the catalog. The lock keeps it as `retired`: events of it may still be delivered.",
        ),
        ChangeKind::IdTemplate { old, new } if is_new => {
            let (old, new) = (template(old), template(new));
            write!(f, "Its id template is {new}; another version of the event has {old}.")
        }
        ChangeKind::IdTemplate { old, new } => write!(
            f,
            "Its id template was {} and is {}: for 24 hours, an event that is sent again has\n  another \
             id, and functions run twice.",
            template(old),
            template(new)
        ),
        _ => f.write_str("The data has changed, compatibly."),
    }
}

fn write_problems(f: &mut Formatter<'_>, title: &str, problems: &[&Problem]) -> Result {
    if !problems.is_empty() {
        write!(f, "\n  {title}:")?;
    }
    for problem in problems {
        write!(f, "\n    {}: {}", problem.path, problem.text)?;
        if problem.verdict == Verdict::CannotTell {
            f.write_str("\n      Whether this breaks cannot be decided, so it counts as a break.")?;
        }
    }
    Ok(())
}

fn write_fixes(f: &mut Formatter<'_>, next: &str) -> Result {
    f.write_str(
        "\n\nTo fix it, do one of these:\n\
         - Keep what was there. Within a version, fields are only added, with `#[serde(default)]` or as an\n  \
         `Option`, so that events without them are still read.\n",
    )?;
    writeln!(
        f,
        "- Give the event a new version: `version = \"{next}\"`. A version does not route events:"
    )?;
    write_routing(f, "  ", next)?;
    write!(
        f,
        "\n- Give the event a new name. Only functions with a trigger for that name receive it.\n\n\
         If no function needs the old data any longer, and no event with it will be delivered again, accept\n\
         the change: {BLESS}\nThis removes the schemas that clash from the lock."
    )
}

/// Writes the fix of id templates, if nothing else breaks. A new version does not prevent the second run.
fn write_fix_of_template(f: &mut Formatter<'_>) -> Result {
    write!(
        f,
        "\n\nTo fix it, restore the id template. A new version does not help, since its events have other ids, too.\n\n\
         If functions may run twice for events that are sent before and again after the deployment, accept\n\
         the change: {BLESS}"
    )
}

/// Explains that a version does not decide which functions run.
fn write_routing(f: &mut Formatter<'_>, indent: &str, version: &str) -> Result {
    write!(
        f,
        "{indent}functions are triggered by the name, so deployed functions receive the new version, too.\n\
         {indent}Before it is sent, deploy them with the trigger option `if: \"event.v != '{version}'\"`, and\n\
         {indent}functions for the new version with `if: \"event.v == '{version}'\"`."
    )
}

/// Returns an example of the version that could follow the version of `change`.
fn next_version(change: Option<&Change>) -> String {
    match change.and_then(|change| change.version.as_deref()).map(str::parse::<u32>) {
        None => "1".to_owned(),
        Some(Ok(number)) => number.saturating_add(1).to_string(),
        Some(Err(_)) => "2".to_owned(),
    }
}
