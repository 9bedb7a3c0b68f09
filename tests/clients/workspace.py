"""Builds the programs of the workspace that exchange events with the clients."""

import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


def build():
    """Builds the example `event-api` and the programs of `inngest-tests`, and returns the folder that holds them."""
    # With `--workspace`, since the features of one package differ, so that after `cargo test --workspace` nothing is
    # compiled again. Programs are built with the tests that start them: any test will do.
    for command in ["build --example event-api", "test --no-run --test encryption"]:
        subprocess.run(["cargo", *command.split(), "--locked", "--quiet", "--workspace"], cwd=HERE, check=True)
    metadata = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    metadata = subprocess.run(metadata, cwd=HERE, check=True, stdout=subprocess.PIPE).stdout
    return pathlib.Path(json.loads(metadata)["target_directory"]) / "debug"
