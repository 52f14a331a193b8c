"""Everything in Python that reads a ``.tflite`` of unknown origin, for tests that try to break it."""

from __future__ import annotations

from collections.abc import Callable

from mcpruner.cli.inspect import describe
from mcpruner.converter.convert import convert
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.model import read_model, write_model

READERS: dict[str, Callable[[bytes], object]] = {
    "read_model": lambda content: write_model(read_model(content)),
    "convert": convert,
    "densify": densify,
    "inspect": describe,
}


def outcome(reader: str, content: bytes) -> str:
    """``"read"`` or ``"refused"``; anything but a ValueError of one line passes through or fails here."""
    try:
        READERS[reader](content)
    except ValueError as error:
        assert str(error) and "\n" not in str(error), f"{reader}: {error}"
        return "refused"
    return "read"
