//! The errors of a lock.

use std::error::Error as _;
use std::path::PathBuf;
use std::{fmt, io};

use super::change::{Change, first_break};
use super::text;
use crate::catalog::CatalogError;

/// The reason why a catalog does not match its lock.
///
/// See [catalog](crate::guide::catalog) in the guide.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// At least one change breaks functions, or might break them. Contains all changes, sorted by event and version.
    Breaks(Vec<Change>),
    /// The lock is out of date. No change breaks functions. Write the lock, so that it holds every schema that the
    /// events had. Contains the changes, sorted by event and version.
    Behind(Vec<Change>),
    /// The file cannot be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not a lock, has a newer format, or contains a merge conflict.
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and how to fix it.
        problem: String,
    },
    /// The catalog is not valid.
    Catalog(CatalogError),
}

impl LockError {
    pub(super) fn of_changes(changes: Vec<Change>) -> Result<(), LockError> {
        match changes[..] {
            [] => Ok(()),
            _ if first_break(&changes).is_some() => Err(LockError::Breaks(changes)),
            _ => Err(LockError::Behind(changes)),
        }
    }

    /// Returns the text of the error and of its source.
    pub(super) fn report(&self) -> String {
        match self.source() {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Breaks(changes) => text::write_breaks(f, changes),
            LockError::Behind(changes) => text::write_behind(f, changes),
            LockError::Io { path, .. } => {
                write!(f, "the lock of events {} cannot be read or written", path.display())
            }
            LockError::Format { path, problem } => {
                write!(f, "the lock of events {} {problem}", path.display())
            }
            LockError::Catalog(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LockError::Io { source, .. } => Some(source),
            LockError::Catalog(error) => error.source(),
            LockError::Breaks(_) | LockError::Behind(_) | LockError::Format { .. } => None,
        }
    }
}

impl From<CatalogError> for LockError {
    fn from(error: CatalogError) -> LockError {
        LockError::Catalog(error)
    }
}
