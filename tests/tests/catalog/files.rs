//! Files that are generated from a catalog.
//!
//! The environment belongs to the process, so each case runs this test's program again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use inngest_core::catalog::Catalog;

const PATH: &str = "TEST_CATALOG_FILE";
const TEXT: &str = "TEST_CATALOG_TEXT";

/// Runs in another process, with the file and the text of the variables.
#[test]
fn asserts_a_file() {
    if let (Ok(path), Ok(text)) = (env::var(PATH), env::var(TEXT)) {
        Catalog::new("storefront").assert_file(path, &text);
    }
}

/// Runs in another process: writes the file in several threads at once.
#[test]
fn asserts_a_file_in_threads() {
    if let (Ok(path), Ok(text)) = (env::var(PATH), env::var(TEXT)) {
        let catalog = Catalog::new("storefront");
        for round in 0..50 {
            let text = text.repeat(10_000 + round);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| catalog.assert_file(&path, &text));
                }
            });
        }
    }
}

/// Asserts the content of a file in another process. The error is the text of its failure.
fn assert_file(path: &Path, text: &str, environment: &[(&str, &str)]) -> Result<(), String> {
    run("files::asserts_a_file", path, text, environment)
}

fn run(name: &str, path: &Path, text: &str, environment: &[(&str, &str)]) -> Result<(), String> {
    let output = Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env_remove("CI")
        .env_remove("INNGEST_EVENTS")
        .env("RUST_BACKTRACE", "0")
        .env(PATH, path)
        .env(TEXT, text)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("catalog_files").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

const BLESS: &[(&str, &str)] = &[("INNGEST_EVENTS", "bless")];

#[test]
fn a_file_is_written_when_asked_and_compared_otherwise() {
    let path = folder("written").join("events.ts");
    let missing = assert_file(&path, "one\ntwo\n", &[]).unwrap_err();
    assert!(missing.contains("does not exist; write it with `INNGEST_EVENTS=bless cargo test`"));
    assert!(missing.contains("files.rs:"), "the panic names the caller: {missing}");

    assert_file(&path, "one\ntwo\n", BLESS).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    assert_file(&path, "one\ntwo\n", &[]).unwrap();

    let differs = assert_file(&path, "one\n2\n", &[]).unwrap_err();
    assert!(differs.contains("is not up to date"), "{differs}");
    assert!(differs.contains("line 2 is        `two`\nand should be `2`"), "{differs}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    let longer = assert_file(&path, "one\ntwo\nthree", &[]).unwrap_err();
    assert!(longer.contains("line 3 is        ``\nand should be `three`"), "{longer}");

    assert_file(&path, "one\n2\n", BLESS).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\n2\n");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn line_endings_of_windows_do_not_count() {
    let path = folder("windows").join("events.ts");
    fs::write(&path, "one\r\ntwo\r\n").unwrap();
    assert_file(&path, "one\ntwo\n", &[]).unwrap();
    assert_file(&path, "one\ntwo\n", BLESS).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\r\ntwo\r\n");
}

#[test]
fn writing_is_refused_in_ci() {
    let path = folder("ci").join("events.ts");
    for ci in ["true", "1", "yes"] {
        let refused = assert_file(&path, "one", &[BLESS[0], ("CI", ci)]).unwrap_err();
        assert!(refused.contains(&format!("refused because CI is set to `{ci}`")), "{refused}");
        assert!(!path.exists());
    }
    for ci in ["", "0", "false"] {
        assert_file(&path, "one", &[BLESS[0], ("CI", ci)]).unwrap();
        fs::remove_file(&path).unwrap();
    }
    let other = assert_file(&path, "one", &[("INNGEST_EVENTS", "1")]).unwrap_err();
    assert!(other.contains("its only value is `bless`"), "{other}");
}

#[test]
fn a_relative_path_starts_at_the_package() {
    let folder = folder("relative");
    let environment = [BLESS[0], ("CARGO_MANIFEST_DIR", folder.to_str().unwrap())];
    assert_file(Path::new("events.ts"), "one", &environment).unwrap();
    assert_eq!(fs::read_to_string(folder.join("events.ts")).unwrap(), "one");

    let nowhere =
        assert_file(Path::new("no/such/folder/events.ts"), "one", &environment).unwrap_err();
    assert!(nowhere.contains("cannot be written"), "{nowhere}");
}

#[test]
fn tests_of_one_process_write_the_same_file_at_once() {
    let path = folder("threads").join("events.ts");
    run("files::asserts_a_file_in_threads", &path, "one\n", BLESS).unwrap();
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_file_that_is_read_only_is_not_written() {
    let path = folder("read_only").join("events.ts");
    fs::write(&path, "one").unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    assert_file(&path, "one", BLESS).unwrap();
    let refused = assert_file(&path, "two", BLESS).unwrap_err();
    assert!(refused.contains("cannot be written: the file is read-only"), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_followed() {
    let folder = folder("link");
    let (target, link) = (folder.join("events.ts"), folder.join("link.ts"));
    fs::write(&target, "one").unwrap();
    std::os::unix::fs::symlink("events.ts", &link).unwrap();
    assert_file(&link, "two", BLESS).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&target).unwrap(), "two");
}
