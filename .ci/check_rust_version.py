"""Checks that no package in `cargo metadata` needs a newer Rust than the workspace's `rust-version`."""

import json
import sys

metadata = json.load(sys.stdin)
members = set(metadata["workspace_members"])


def version(package):
    parts = [int(part) for part in (package["rust_version"] or "0").split(".")]
    return (*parts, 0, 0)[:3]


minimum = min(version(package) for package in metadata["packages"] if package["id"] in members)
newer = [
    f"{package['name']} {package['version']} needs Rust {package['rust_version']}"
    for package in metadata["packages"]
    if version(package) > minimum
]
print(f"{len(metadata['packages'])} packages, rust-version {'.'.join(map(str, minimum))}")
sys.exit("\n".join(newer) or None)
