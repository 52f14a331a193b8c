"""The ``mcpruner`` command: one file per sub-command, and `main`, which puts them together."""

from mcpruner.cli.main import main

__all__ = ["main"]
