//! Where the paths of files start that a catalog checks and writes.

use std::env;
use std::path::{Path, PathBuf};

/// Returns the path as it is if it is absolute, else the path from the directory of the package under test, or
/// from the working directory if Cargo runs no test.
pub(super) fn resolved(path: &Path) -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| path.to_owned(), |root| Path::new(&root).join(path))
}
