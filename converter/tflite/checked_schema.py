"""TFLite's FlatBuffers classes with a reader that is safe on any byte string.

`ai_edge_litert.schema_py_generated` trusts its input: a damaged offset makes it read outside of the file or, since
sizes are read from the file too, build lists of billions of entries. FlatBuffers has no verifier for Python, and one
written by hand would repeat the whole schema. All of the generated code reads through ``flatbuffers.table.Table``, so
this module loads its own copy of the generated code (the public module stays as it is) and gives it a `Table` that
checks every offset against the file, and that spends from a budget which only files that reference the same bytes over
and over exceed:

    generated code of our copy ── flatbuffers.table.Table ──> _CheckedTable ──> CheckedBytes (file + budget)

What the schema does not know would be lost when the file is written again, so `CheckedBytes` also notes how far it was
read (what lies behind is no part of the flatbuffer) and which fields of each table were asked for.

`schema` is that copy; its ``*T`` classes are what the rest of the converter edits and packs again.
"""

import importlib.util
from types import ModuleType, SimpleNamespace
from typing import Any

import flatbuffers
import flatbuffers.table
import numpy as np
from flatbuffers import encode
from flatbuffers import number_types as types


class CheckedBytes(np.ndarray):
    """A view of a file, how many tables and string bytes may still be read from it, and what was read so far.

    Every table is reached through a 4-byte offset of its own, and strings are rarely shared: reading a file once
    costs less than this budget.

    Attributes
    ----------
    tables, characters
        How many tables, and bytes of strings, may still be read.
    end
        Position behind the last byte that was read.
    asked
        For each table, by its position, the last entry of its vtable that was asked for.
    """

    def __new__(cls, content: bytes) -> "CheckedBytes":
        """A view of `content`, not a copy."""
        return np.frombuffer(content, np.uint8).view(cls)

    def __init__(self, content: bytes) -> None:
        self.tables = len(content) // 4 + 64
        self.characters = 4 * len(content) + 1024
        self.end = 8
        self.asked: dict[int, int] = {}

    def check(self, begin: int, size: int) -> None:
        """Raise ValueError unless ``size`` bytes from ``begin`` lie inside the file."""
        if begin < 0 or size < 0 or begin + size > len(self):
            raise ValueError(f"an offset points to byte {begin} of {len(self)}")
        self.end = max(self.end, begin + size)

    def spend(self, tables: int = 0, characters: int = 0) -> None:
        """Count what is read; raise ValueError when more was read than a file without overlapping tables can hold."""
        self.tables -= tables
        self.characters -= characters
        if self.tables < 0 or self.characters < 0:
            raise ValueError("its tables overlap")

    def has_unknown_fields(self) -> bool:
        """Whether a table that was read has a field behind those that its class asked for: of a newer schema."""
        return any(self._entries(table, last + 2) for table, last in self.asked.items())

    def _entries(self, table: int, begin: int) -> bool:
        vtable = table - encode.Get(types.SOffsetTFlags.packer_type, self, table)
        size = encode.Get(types.VOffsetTFlags.packer_type, self, vtable)
        return bool(np.any(self[vtable + begin : vtable + size]))


class _CheckedTable(flatbuffers.table.Table):
    """The base class with bounds: each method checks what it is about to read."""

    __slots__ = ()

    def __init__(self, buf: CheckedBytes, pos: int) -> None:
        super().__init__(buf, pos)
        buf.check(pos, 4)
        vtable = pos - encode.Get(types.SOffsetTFlags.packer_type, buf, pos)
        buf.check(vtable, 4)
        size = encode.Get(types.VOffsetTFlags.packer_type, buf, vtable)
        buf.check(vtable, max(4, size))
        buf.check(pos, encode.Get(types.VOffsetTFlags.packer_type, buf, vtable + 2))
        buf.spend(tables=1)
        buf.asked.setdefault(pos, 2)  # the vtable begins with two sizes

    def Offset(self, vtableOffset: int) -> int:
        self.Bytes.asked[self.Pos] = max(self.Bytes.asked[self.Pos], vtableOffset)
        return super().Offset(vtableOffset)

    def String(self, off: int) -> bytes:
        begin = self.Indirect(off)
        self.Bytes.check(begin, 4)
        length = encode.Get(types.UOffsetTFlags.packer_type, self.Bytes, begin)
        self.Bytes.check(begin + 4, length)
        self.Bytes.spend(characters=length)
        return super().String(off)

    def VectorLen(self, off: int) -> int:
        length = super().VectorLen(off)
        self.Bytes.check(self.Vector(off), length)  # an element has at least one byte
        return length

    def GetVectorAsNumpy(self, flags: Any, off: int) -> np.ndarray:
        vector = super().GetVectorAsNumpy(flags, off)
        self.Bytes.check(self.Vector(off), vector.nbytes)
        return vector


def _load() -> ModuleType:
    spec = importlib.util.find_spec("ai_edge_litert.schema_py_generated")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.flatbuffers = SimpleNamespace(**vars(flatbuffers))
    module.flatbuffers.table = SimpleNamespace(Table=_CheckedTable)
    return module


schema = _load()
