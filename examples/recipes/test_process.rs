//! For the tests of the recipes: runs the `main` of a recipe in a separate process.

use std::env;
use std::process::Stdio;

use tokio::process::Command;

/// Returns the command of this test program that runs only its ignored test `tests::process`, which calls `main`. The
/// process has none of the caller's `INNGEST_` variables, and is killed when it is dropped.
pub(crate) fn main_process() -> Command {
    let mut command = Command::new(env::current_exe().expect("the path of this program"));
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("INNGEST_") {
            command.env_remove(name);
        }
    }
    command.args(["--exact", "tests::process", "--ignored", "--nocapture"]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}
