//! The file of a lock: sorted JSON with one value per line, for readable diffs and merges by line.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::LockError;
use crate::catalog::compat::stripped;
use crate::catalog::contract::{Contract, event_title};
use crate::catalog::file::write;

const FORMAT: u64 = 1;

/// The content of a lock, in the order in which it is written.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockFile {
    format: u64,
    /// Sorted by name and version when it is written.
    pub(super) events: Vec<LockedEvent>,
}

/// A version of an event, with every schema that its data had.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockedEvent {
    pub(super) event: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// The id template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// Whether the catalog no longer has the event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) retired: bool,
    /// From the oldest to the newest, without annotations.
    pub(super) schemas: Vec<Value>,
}

/// The field that locks of every format have.
#[derive(Deserialize)]
struct AnyFormat {
    format: u64,
}

impl LockedEvent {
    pub(super) fn of(contract: &Contract) -> LockedEvent {
        LockedEvent {
            event: contract.name.clone().into_owned(),
            version: contract.version.as_deref().map(str::to_owned),
            id: contract.id_template.as_deref().map(str::to_owned),
            retired: false,
            schemas: vec![stripped(&contract.schema)],
        }
    }

    pub(super) fn key(&self) -> (&str, Option<&str>) {
        (&self.event, self.version.as_deref())
    }

    pub(super) fn is_of(&self, contract: &Contract) -> bool {
        self.key() == (&*contract.name, contract.version.as_deref())
    }
}

impl LockFile {
    /// Reads a lock. A file that does not exist is a lock without events.
    pub(super) fn read(path: &Path) -> Result<LockFile, LockError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(LockFile { format: FORMAT, events: Vec::new() });
            }
            Err(source) => return Err(LockError::Io { path: path.to_owned(), source }),
        };
        let lock = String::from_utf8(bytes)
            .map_err(|_| "is not UTF-8; bring the committed file back".to_owned())
            .and_then(|text| LockFile::parse(&text));
        lock.map_err(|problem| LockError::Format { path: path.to_owned(), problem })
    }

    /// Parses the text of a lock. The error states the problem and the fix.
    fn parse(text: &str) -> Result<LockFile, String> {
        if let Some(line) = text.lines().position(is_conflict_marker) {
            return Err(format!(
                "contains a merge conflict, at line {}: keep the entries and schemas of both sides, remove the \
                 markers, and run `INNGEST_EVENTS=bless cargo test`",
                line + 1
            ));
        }
        // Some editors on Windows write a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let not_a_lock = |problem: &str| {
            format!(
                "is not a lock of events ({problem}); correct it, or bring the committed file back"
            )
        };
        let damaged = |error: serde_json::Error| not_a_lock(&error.to_string());
        let AnyFormat { format } = serde_json::from_str(text).map_err(damaged)?;
        if format < FORMAT {
            return Err(not_a_lock(&format!("its format is {format}")));
        }
        if format > FORMAT {
            return Err(format!(
                "has the format {format}, which a newer version of inngest-core has written; this version reads \
                 the format {FORMAT}: update inngest-core"
            ));
        }
        let lock: LockFile = serde_json::from_str(text).map_err(damaged)?;
        for (index, event) in lock.events.iter().enumerate() {
            if lock.events[..index].iter().any(|earlier| earlier.key() == event.key()) {
                return Err(format!(
                    "has two entries for {}, perhaps after a merge: move the schemas of both into one, and run \
                     `INNGEST_EVENTS=bless cargo test`",
                    event_title(&event.event, event.version.as_deref())
                ));
            }
        }
        Ok(lock)
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), LockError> {
        let text = serde_json::to_string_pretty(self).map_err(io::Error::from);
        let written = text.and_then(|text| write(path, format!("{text}\n").as_bytes()));
        written.map_err(|source| LockError::Io { path: path.to_owned(), source })
    }
}

/// Returns whether git wrote this line for a conflict. No line of JSON begins like it.
fn is_conflict_marker(line: &str) -> bool {
    ["<<<<<<<", "|||||||", ">>>>>>>"].iter().any(|marker| line.starts_with(marker))
}
