"""The packer of the plugin by ctypes: delegate/tflite/testing/packer_library.cc, which no wheel carries."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_double, c_int32, c_size_t, c_uint16, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mcpruner.converter.cost.cost_model import SHIPPED, Geometry
from mcpruner.converter.cost.estimate import Choice

TYPES = {"float32": 1, "float16": 10}  # TfLiteType
KINDS = ("Conv2D", "FullyConnected", "TransposeConv2D")


class _Dense(ctypes.Structure):
    _fields_ = (
        *((name, c_int32) for name in ("kind", "filters", "height", "width", "channels", "groups")),
        *((name, c_void_p) for name in ("weights", "bias")),
    )


class _Place(ctypes.Structure):
    _fields_ = (*((name, c_double) for name in ("height", "width", "stride")), ("table_json", c_char_p))


class _Level(ctypes.Structure):
    _fields_ = (("format", c_int32), ("dense_size", c_int32), ("segments", c_void_p), ("indices", c_void_p))


class _Sparsity(ctypes.Structure):
    _fields_ = (
        *((name, c_void_p) for name in ("traversal_order", "block_map", "levels")),
        ("num_levels", c_int32),
    )


@cache
def _library() -> ctypes.CDLL:
    path = Path(__file__).resolve().parents[2] / "out" / "testing" / "libmcpruner_packer.so"
    if not path.is_file():
        raise FileNotFoundError(f"The packer for tests, {path}, is missing: run `make build`.")
    library = ctypes.CDLL(str(path))
    dense, permutation = POINTER(_Dense), POINTER(c_uint16)
    library.McprunerComparePacked.argtypes = (dense, c_int32, permutation, c_char_p, c_size_t)
    library.McprunerGroup.argtypes = (dense, c_int32, permutation)
    library.McprunerChoose.argtypes = (dense, POINTER(_Place), POINTER(c_int32), permutation, POINTER(c_double))
    library.McprunerExpand.argtypes = (c_void_p, POINTER(_Sparsity), c_int32, c_void_p, c_size_t, c_void_p)
    names = ("McprunerComparePacked", "McprunerGroup", "McprunerChoose", "McprunerExpand")
    for function in (getattr(library, name) for name in names):
        function.restype = c_char_p
    return library


def _dense(weights: np.ndarray, kind: str, groups: int, bias: np.ndarray | None = None) -> _Dense:
    """The struct, which keeps no array alive: callers hold float32 arrays in C order."""
    for array in (weights, bias):
        assert array is None or (array.dtype == np.float32 and array.flags.c_contiguous)
    pointers = (array if array is None else array.ctypes.data for array in (weights, bias))
    return _Dense(KINDS.index(kind), *weights.shape, groups, *pointers)


def _check(error: bytes) -> None:
    if error:
        raise ValueError(error.decode())


def packed_difference(
    weights: np.ndarray,
    bias: np.ndarray | None,
    kind: str,
    permutation: np.ndarray,
    group_size: int,
    blob: bytes,
    groups: int = 1,
) -> str:
    """What the plugin packs, beside what it reads of a blob.

    Returns
    -------
    str
        The first field in which the two layers differ in a bit, or the error; empty where they are the same.
    """
    permutation = np.ascontiguousarray(permutation, np.uint16)
    pointer = permutation.ctypes.data_as(POINTER(c_uint16))
    dense = _dense(weights, kind, groups, bias)
    return _library().McprunerComparePacked(byref(dense), group_size, pointer, blob, len(blob)).decode()


def group_filters(mask: np.ndarray, group_size: int, groups: int = 1) -> np.ndarray:
    """The plugin's grouping of the filters of a mask (bool OHWI): uint16 ``[O]``."""
    weights, permutation = np.ascontiguousarray(mask, np.float32), np.empty(len(mask), np.uint16)
    pointer = permutation.ctypes.data_as(POINTER(c_uint16))
    _check(_library().McprunerGroup(byref(_dense(weights, "Conv2D", groups)), group_size, pointer))
    return permutation


def choose(weights: np.ndarray, geometry: Geometry, table: str) -> Choice:
    """How the plugin packs a layer, by a shipped table of costs."""
    permutation, size, speedup = np.empty(len(weights), np.uint16), c_int32(), c_double()
    dense = _dense(weights, geometry.kind, geometry.groups)
    place = _Place(geometry.height, geometry.width, geometry.stride, (SHIPPED / f"{table}.json").read_bytes())
    pointer = permutation.ctypes.data_as(POINTER(c_uint16))
    _check(_library().McprunerChoose(byref(dense), byref(place), byref(size), pointer, byref(speedup)))
    return Choice(size.value, permutation, speedup.value)


def expand(values: np.ndarray, shape: tuple[int, ...], sparsity: Any) -> np.ndarray:
    """The plugin's reading of a sparse tensor (``SparsityParametersT``): float32 of `shape`.

    Raises
    ------
    ValueError
        It leaves the tensor to TFLite; the message says why.
    """
    kept: list[np.ndarray] = []  # what the structs point to

    def array(numbers: Any) -> int:
        """A TfLiteIntArray."""
        numbers = np.asarray([] if numbers is None else numbers, np.int32)
        kept.append(np.concatenate([[numbers.size], numbers]).astype(np.int32))
        return kept[-1].ctypes.data

    def level(metadata: Any) -> _Level:
        vectors = (metadata.arraySegments, metadata.arrayIndices)
        pointers = [None if vector is None else array(vector.values) for vector in vectors]
        return _Level(metadata.format, metadata.denseSize, *pointers)

    levels = (_Level * len(sparsity.dimMetadata))(*map(level, sparsity.dimMetadata))
    pointers = (array(sparsity.traversalOrder), array(sparsity.blockMap), ctypes.addressof(levels))
    tree, dense = _Sparsity(*pointers, len(levels)), np.zeros(shape, np.float32)
    kind = TYPES[values.dtype.name]
    data = values.ctypes.data
    _check(_library().McprunerExpand(array(shape), byref(tree), kind, data, values.nbytes, dense.ctypes.data))
    return dense
