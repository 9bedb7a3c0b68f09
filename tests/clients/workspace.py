"""Builds the programs of the workspace that exchange events with the clients."""

import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


def build():
    """Builds the example `event-api` and the programs of `inngest-tests`, and returns the folder that holds them."""
    # With the options of `cargo test --workspace`, whose features differ from those of one package, so that after it nothing
    # is compiled again. The test `encryption` stands for all tests, which need the programs.
    build = ["cargo", "test", "--locked", "--quiet", "--workspace", "--no-run"]
    targets = ["--example", "event-api", "--test", "encryption"]
    subprocess.run([*build, *targets], cwd=HERE, check=True)
    metadata = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    metadata = subprocess.run(metadata, cwd=HERE, check=True, stdout=subprocess.PIPE).stdout
    return pathlib.Path(json.loads(metadata)["target_directory"]) / "debug"
