"""Builds the programs of `receiving`, a package outside of the workspace that depends on the official crate."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MANIFEST = HERE / "receiving" / "Cargo.toml"
# Beside the files of the workspace, which has other versions of the dependencies.
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[1] / "target")).resolve() / "official-crate"


def missing():
    """Returns what the machine lacks to build the crate, or None."""
    if not sys.platform.startswith("linux"):
        return None
    if not shutil.which("pkg-config"):
        return "pkg-config is not installed"
    if subprocess.run(["pkg-config", "--exists", "openssl"]).returncode != 0:
        return "OpenSSL's headers are not installed"
    return None


def version():
    """Returns the version of the crate that is compiled."""
    lock = MANIFEST.with_name("Cargo.lock").read_text()
    return re.search(r'name = "inngest"\nversion = "(.*?)"', lock)[1]


def build(*programs):
    """Builds programs, and returns the path of the last."""
    chosen = [argument for program in programs for argument in ["--bin", program]]
    subprocess.run([*cargo("build"), *chosen], check=True)
    return TARGET / "debug" / programs[-1]


def cargo(command):
    return ["cargo", command, "--locked", "--quiet", "--manifest-path", MANIFEST, "--target-dir", TARGET]
