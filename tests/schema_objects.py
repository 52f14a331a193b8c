"""TFLite's schema as Python objects: one of every table with every field set, and two compared field by field."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np

from mcpruner.converter.tflite.checked_schema import schema

_FIELD = re.compile(r"self\.(\w+) = \w+  # type: (.+)")
# What must stay as it is for a file to be read: indices of what does not exist, and kinds of what is not there.
_LEFT = {"externalBuffers", "externalBufferGroups", "largeCustomOptionsOffset", "largeCustomOptionsSize"}


def full(name: str, union_member: int = 1) -> Any:
    """A table of the class `name` with every field set; of unions the member with that number."""
    made = getattr(schema, name)()
    for field, kind in _FIELD.findall(inspect.getsource(getattr(schema, name).__init__)):
        if field in _LEFT:
            continue
        if kind.startswith("Union["):
            members = re.findall(r"'?(\w+T)'?[,\]]", kind)
            setattr(made, f"{field}Type", union_member)
            setattr(made, field, full(members[union_member - 1]))
        elif (made_of := re.search(r"(\w+T)\b", kind)) is not None:
            table = full(made_of[1])
            setattr(made, field, [table] if "List" in kind else table)
        elif not field.endswith("Type") or not hasattr(made, field[:-4]):
            setattr(made, field, _value(kind))
    return made


def _value(kind: str) -> Any:
    plain = {"int": 1, "bool": True, "float": 0.5, "Optional[str]": b"text", "Optional[List[bool]]": [True, False]}
    return plain.get(kind) or ([0.5, 1.5] if "float" in kind else [b"text"] if "str" in kind else [1, 0, 1])


def differences(a: Any, b: Any, path: str = "model") -> list[str]:
    """Paths of all fields that differ; an absent vector equals an empty one, as for every reader."""
    if hasattr(a, "__dict__") and type(a) is type(b):
        names = sorted({*vars(a), *vars(b)} - {"behind"})
        return [d for n in names for d in differences(getattr(a, n, None), getattr(b, n, None), f"{path}.{n}")]
    if _is_list(a) or _is_list(b):
        a, b = ([] if x is None else list(x) for x in (a, b))
        if len(a) != len(b):
            return [f"{path}: {len(a)} and {len(b)} elements"]
        return [d for i, (x, y) in enumerate(zip(a, b, strict=True)) for d in differences(x, y, f"{path}[{i}]")]
    return [] if a == b or (not a and not b) else [f"{path}: {a!r} and {b!r}"]


def _is_list(value: Any) -> bool:
    return isinstance(value, list | np.ndarray)
