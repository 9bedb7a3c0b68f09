//! Files that a catalog checks, or writes on request.

use std::env;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Catalog;

/// The environment variable that makes a catalog write files.
const VARIABLE: &str = "INNGEST_EVENTS";

impl Catalog {
    /// Asserts that the file at `path` has the content `text`. If the environment variable `INNGEST_EVENTS` is
    /// `bless`, writes the file instead.
    ///
    /// Use it in a test, so that generated files can be committed and the test fails when they are out of date:
    ///
    /// ```no_run
    /// # use inngest_core::catalog::Catalog;
    /// # fn example(catalog: &Catalog) -> Result<(), inngest_core::catalog::CatalogError> {
    /// let schema = format!("{:#}\n", catalog.json_schema()?);
    /// catalog.assert_file("../functions/events.schema.json", &schema); // INNGEST_EVENTS=bless cargo test
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A relative path is resolved from the directory in the environment variable `CARGO_MANIFEST_DIR`, which
    /// `cargo test` sets, or else from the working directory. Line endings are ignored: `\r\n` equals `\n`.
    ///
    /// # Panics
    ///
    /// Panics if the content differs, if the file does not exist, or if it cannot be read. When writing, panics if the
    /// file cannot be written or is read-only, or if the environment variable `CI` is set to a value other than empty,
    /// `0` or `false`. Also panics if `INNGEST_EVENTS` has a value other than `bless`.
    #[track_caller]
    pub fn assert_file(&self, path: impl AsRef<Path>, text: &str) {
        let path = resolved(path.as_ref());
        let outcome = is_blessing().and_then(|is_blessing| {
            check_or_write(&path, text, is_blessing).map_err(|problem| {
                format!("{}, generated from the catalog `{}`, {problem}", path.display(), self.name)
            })
        });
        if let Err(message) = outcome {
            panic!("{message}");
        }
    }
}

/// Returns the path of a file: relative ones start at the package under test.
pub(super) fn resolved(path: &Path) -> PathBuf {
    // Cargo sets it when it runs a test. Joining an absolute path returns that path.
    env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| path.to_owned(), |root| Path::new(&root).join(path))
}

/// Returns whether files are written instead of checked. The error is the reason why they must not be written.
pub(super) fn is_blessing() -> Result<bool, String> {
    let value = env::var_os(VARIABLE).unwrap_or_default();
    if value.is_empty() {
        return Ok(false);
    }
    if value != "bless" {
        let value = value.to_string_lossy();
        return Err(format!(
            "{VARIABLE} is `{value}`; its only value is `bless`, which writes the files"
        ));
    }
    let ci = env::var_os("CI").unwrap_or_default();
    if ci.is_empty() || ci == "0" || ci == "false" {
        return Ok(true);
    }
    Err(format!(
        "{VARIABLE}=bless is refused because CI is set to `{}`, and files written there are lost; run \
         `{VARIABLE}=bless cargo test` in a checkout, and commit the files",
        ci.to_string_lossy()
    ))
}

fn check_or_write(path: &Path, text: &str, is_blessing: bool) -> Result<(), String> {
    let existing = match fs::read(path) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).replace("\r\n", "\n")),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    let text = text.replace("\r\n", "\n");
    match existing {
        // A file that is up to date is not written, since it may have other line endings.
        Some(existing) if existing == text => Ok(()),
        _ if is_blessing => {
            write(path, text.as_bytes()).map_err(|error| format!("cannot be written: {error}"))
        }
        Some(existing) => Err(format!(
            "is not up to date; write it with `{VARIABLE}=bless cargo test`\n\n{}",
            first_difference(&existing, &text)
        )),
        None => Err(format!("does not exist; write it with `{VARIABLE}=bless cargo test`")),
    }
}

/// Replaces a file atomically: a test that reads it at the same time gets the whole old or the whole new content.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    // Two tests of one process may write the same file at once.
    static WRITES: AtomicUsize = AtomicUsize::new(0);
    // A symbolic link is kept, and the file that it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // Renaming would replace a read-only file, since it only needs write access to the directory.
    if fs::metadata(&path).is_ok_and(|existing| existing.permissions().readonly()) {
        return Err(io::Error::new(ErrorKind::PermissionDenied, "the file is read-only"));
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    let count = WRITES.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".{}-{count}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = fs::File::create(&temporary)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs::rename(&temporary, &path));
    written.inspect_err(|_| drop(fs::remove_file(&temporary)))
}

/// Returns the first lines that differ.
fn first_difference(existing: &str, text: &str) -> String {
    let (mut existing, mut text) = (existing.split('\n'), text.split('\n'));
    for line in 1.. {
        let (old, new) = (existing.next(), text.next());
        if old != new || old.is_none() {
            let shown =
                |line: Option<&str>| line.map_or("the end".to_owned(), |it| format!("`{it}`"));
            return format!("line {line} is        {}\nand should be {}", shown(old), shown(new));
        }
    }
    String::new()
}
