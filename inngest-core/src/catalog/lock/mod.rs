//! The lock: a file with the contracts of all events, past and current, and the check that a change breaks no function.

mod bless;
mod change;
mod compare;
mod error;
mod file;
mod text;

use std::path::Path;

pub use change::{Change, ChangeKind};
pub use error::LockError;

use super::Catalog;
use super::file::{is_blessing, resolved};
use file::LockFile;

impl Catalog {
    /// Compares the catalog with a lock, a file with every schema that each version of each event had.
    ///
    /// Functions are deployed separately from the code that sends their events, and events can be delayed, retried
    /// and replayed. So within one name and version, functions that were written for any locked schema must be able
    /// to read events with the current schema, and functions for the current schema must be able to read events with
    /// any locked schema. A new version is compared with no other version. The id template of a version must not
    /// change.
    ///
    /// The lock is a JSON file to be committed, and merges line by line. A missing file counts as a lock without
    /// events. A relative path is resolved from the directory in the environment variable `CARGO_MANIFEST_DIR`,
    /// which `cargo test` sets, or else from the working directory. This method never writes.
    ///
    /// # Errors
    ///
    /// - [`LockError::Breaks`] if a change breaks functions, or might break them.
    /// - [`LockError::Behind`] if the catalog differs from the lock in any other way. Write the lock with
    ///   [`assert_lock`](Self::assert_lock).
    /// - [`LockError::Io`] or [`LockError::Format`] if the file cannot be read.
    /// - [`LockError::Catalog`] for the errors of the events that were added: see [`json_schema`](Self::json_schema).
    pub fn check_lock(&self, path: impl AsRef<Path>) -> Result<(), LockError> {
        let path = resolved(path.as_ref());
        let contracts = self.checked_contracts()?;
        let lock = LockFile::read(&path)?;
        LockError::of_changes(compare::changes(&lock.events, contracts))
    }

    /// Asserts that [`check_lock`](Self::check_lock) returns no error. If the environment variable `INNGEST_EVENTS`
    /// is `bless`, writes the lock instead.
    ///
    /// ```no_run
    /// # use inngest_core::catalog::Catalog;
    /// # let catalog = Catalog::new("storefront");
    /// catalog.assert_lock("inngest-events.lock.json"); // INNGEST_EVENTS=bless cargo test
    /// ```
    ///
    /// Writing adds new events, versions and schemas, marks events that are no longer in the catalog as `retired`,
    /// and removes the locked schemas that are incompatible with the current schema.
    ///
    /// # Panics
    ///
    /// Panics with the error of `check_lock`, if there is one. When writing, panics if the file cannot be read or
    /// written, if it is read-only, or if the environment variable `CI` is set to a value other than empty, `0` or
    /// `false`, since files written by a CI job are lost. Also panics if `INNGEST_EVENTS` has a value other than
    /// `bless`.
    #[track_caller]
    pub fn assert_lock(&self, path: impl AsRef<Path>) {
        let outcome = match is_blessing() {
            Ok(true) => self.write_lock(path.as_ref()).map_err(|error| error.report()),
            Ok(false) => self.check_lock(path.as_ref()).map_err(|error| match error {
                LockError::Breaks(_) | LockError::Behind(_) => {
                    format!("{}: {error}", resolved(path.as_ref()).display())
                }
                error => error.report(),
            }),
            Err(refused) => Err(refused),
        };
        if let Err(message) = outcome {
            panic!("{message}");
        }
    }

    fn write_lock(&self, path: &Path) -> Result<(), LockError> {
        let path = resolved(path);
        let contracts = self.checked_contracts()?;
        let mut lock = LockFile::read(&path)?;
        // A file that is up to date is not written, since it may have other line endings.
        if compare::changes(&lock.events, contracts).is_empty() {
            return Ok(());
        }
        bless::update(&mut lock.events, contracts);
        lock.write(&path)
    }
}
