"""Checks that the lower bounds of the dependencies are true, and that the crates compile with the declared Rust version.

Usage: check_lower_bounds.py FEATURES

FEATURES is the list of features of inngest-core, separated by commas. The two published crates are copied without
the rest of the workspace and without dev-dependencies. Then

- a nightly toolchain checks them with the lowest version of each direct dependency. Without one, this is skipped;
- Rust of the declared version checks them with the versions of Cargo.lock, if `RUST_MSRV_CARGO` and `RUST_MSRV_RUSTC`
  name its programs. Otherwise this is skipped. Features that need a newer Rust are left out.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CRATES = ["inngest-derive", "inngest-core"]
NEWER_RUST = {"outbox-postgres-sqlx09"}


def copy_workspace(folder):
    manifest = (ROOT / "Cargo.toml").read_text()
    members = ", ".join(f'"{crate}"' for crate in CRATES)
    manifest = re.sub(r"^members = .*$", f"members = [{members}]", manifest, count=1, flags=re.M)
    manifest = re.sub(r"^default-members = .*\n", "", manifest, flags=re.M)
    manifest = re.sub(r"^exclude = .*\n", "", manifest, flags=re.M)
    (folder / "Cargo.toml").write_text(manifest)
    shutil.copy(ROOT / "README.md", folder)
    for crate in CRATES:
        shutil.copytree(ROOT / crate, folder / crate, ignore=shutil.ignore_patterns("target"))
        path = folder / crate / "Cargo.toml"
        path.write_text(re.sub(r"^\[dev-dependencies\]\n(?:(?!\[).*\n)*", "", path.read_text(), flags=re.M))


def check(folder, cargo, features, env=()):
    command = [*cargo, "check", "--quiet", "-p", "inngest-core", "--no-default-features", "--features", features]
    subprocess.run(command, cwd=folder, env={**os.environ, **dict(env)}, check=True)


def check_lower_bounds(folder, features):
    nightly = ["cargo", "+nightly"]
    if subprocess.run([*nightly, "--version"], capture_output=True).returncode != 0:
        return print("SKIPPED: the lowest versions of the dependencies, because no nightly toolchain is installed")
    lock = [*nightly, "generate-lockfile", "-Z", "direct-minimal-versions", "--quiet"]
    subprocess.run(lock, cwd=folder, check=True)
    check(folder, nightly, features)
    print("inngest-core compiles with the lowest version of each direct dependency")


def check_rust_version(folder, features):
    cargo, rustc = os.environ.get("RUST_MSRV_CARGO"), os.environ.get("RUST_MSRV_RUSTC")
    if not (cargo and rustc):
        return print("SKIPPED: the declared Rust version, because a toolchain of it is not installed")
    shutil.copy(ROOT / "Cargo.lock", folder)
    features = ",".join(feature for feature in features.split(",") if feature not in NEWER_RUST)
    check(folder, [cargo], features, {"RUSTC": rustc}.items())
    version = subprocess.run([rustc, "--version"], capture_output=True, text=True).stdout.split()[1]
    print(f"inngest-core compiles with Rust {version}")


def main():
    features = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        copy_workspace(folder)
        check_lower_bounds(folder, features)
        check_rust_version(folder, features)


if __name__ == "__main__":
    main()
