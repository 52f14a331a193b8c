"""A FlexBuffers map of scalars and texts to bytes and back: the form in which tools show the options of an operator."""

from collections.abc import Mapping
from typing import Any

from flatbuffers import flexbuffers


def write_map(fields: Mapping[str, bool | int | float | str]) -> bytes:
    """The map as bytes, which begin with the name of the first field."""
    builder = flexbuffers.Builder()
    with builder.Map():
        for name, value in fields.items():
            builder.Key(name)
            add = {bool: builder.Bool, int: builder.Int, float: builder.Float, str: builder.String}[type(value)]
            add(value)
    return bytes(builder.Finish())


def read_map(data: bytes, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have a default, each with the value and of the type that it has there, or with its default.

    Raises
    ------
    Exception
        Of any kind: the bytes are no such map, or a field is of another type.
    """
    table = flexbuffers.GetRoot(data).AsMap
    return {name: _value(table, name, default) for name, default in defaults.items()}


def _value(table: flexbuffers.Map, name: str, default: Any) -> Any:
    try:
        field = table[name]
    except KeyError:
        return default
    fits = {bool: field.IsBool, int: field.IsInt, str: field.IsString}[type(default)]
    if not fits:
        raise TypeError(f"{name} is no {type(default).__name__}")
    return field.Value
