"""The ``mcpruner`` command: one file per sub-command, `main` puts them together."""
