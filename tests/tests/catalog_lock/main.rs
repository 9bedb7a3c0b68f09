//! The lock of a catalog: changes that break functions fail, and the file survives merges, editors and updates.

mod bless;
mod events;
mod false_passes;
mod file;
mod generate;
mod pairs;
mod random;
mod schemas;
mod scripted;
mod shop;
mod texts;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, process};

use inngest_core::catalog::{Catalog, Change, ChangeKind, LockError};

/// A directory that is removed at the end of the test.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Directory {
        let path = env::temp_dir().join(format!("inngest-lock-{test}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory");
        Directory(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The variable that names the directory for a test in a child process.
const DIRECTORY: &str = "CATALOG_LOCK_DIRECTORY";

/// Runs an ignored test of this program in a child process, with these environment variables and without `CI`.
fn run_child(test: &str, directory: &Path, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command.env_remove("CI").env_remove("INNGEST_EVENTS").env(DIRECTORY, directory);
    command.envs(environment.iter().copied()).output().expect("the child runs")
}

/// Runs an ignored test of this program that writes locks.
fn bless(test: &str, directory: &Path) {
    let output = run_child(test, directory, &[("INNGEST_EVENTS", "bless")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Returns the directory of a test in a child process.
fn child_directory() -> PathBuf {
    env::var_os(DIRECTORY).expect("run by another test").into()
}

/// Returns the changes since the lock, none of which breaks.
fn behind(catalog: &Catalog, path: &Path) -> Vec<Change> {
    match catalog.check_lock(path) {
        Err(LockError::Behind(changes)) => changes,
        other => panic!("expected a lock that is out of date, found {other:?}"),
    }
}

/// Returns the changes since the lock, some of which break.
fn breaks(catalog: &Catalog, path: &Path) -> Vec<Change> {
    match catalog.check_lock(path) {
        Err(LockError::Breaks(changes)) => changes,
        other => panic!("expected a break, found {other:?}"),
    }
}

/// Returns the problems of the two directions, as texts.
fn directions(result: Result<(), LockError>) -> (Vec<String>, Vec<String>) {
    let changes = match result {
        Ok(()) => Vec::new(),
        Err(LockError::Breaks(changes) | LockError::Behind(changes)) => changes,
        Err(other) => panic!("{other:?}"),
    };
    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    for change in changes {
        match change.kind {
            ChangeKind::Forward(problem) => forward.push(problem.to_string()),
            ChangeKind::Backward(problem) => backward.push(problem.to_string()),
            _ => {}
        }
    }
    (forward, backward)
}
