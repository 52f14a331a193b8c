"""The key of weights is made of XXH64 as the schema says; C++ makes the same."""

from __future__ import annotations

import numpy as np
import pytest

from mcpruner.converter.format.weights_key import weights_key, xxh64

# Of the vectors that xxHash's own tests and its users agree on.
KNOWN = {
    b"": 0xEF46DB3751D8E999,
    b"a": 0xD24EC4F1A98C6E5B,
    b"abc": 0x44BC2CF5AD770999,
    b"0123456789abcdef0123456789abcdef": 0x642A94958E71E6C5,
    b"Nobody inspects the spammish repetition": 0xFBCEA83C8A378BF1,
    b"The quick brown fox jumps over the lazy dog": 0x0B242D361FDA71BC,
}

RAMP = 0x736B0A22F5762CDC
RAMP_TURNED = 0x3B308A711AA660B5


def of(data: bytes) -> int:
    return int(xxh64(np.frombuffer(data, np.uint8)[None])[0])


@pytest.mark.parametrize("data", KNOWN)
def test_known_hashes(data: bytes) -> None:
    assert of(data) == KNOWN[data]


def test_rows_are_hashed_each_for_itself() -> None:
    rows = np.random.default_rng(0).integers(0, 256, (5, 77), np.uint8)
    np.testing.assert_array_equal(xxh64(rows), [of(row.tobytes()) for row in rows])


def by_the_schema(weights: np.ndarray) -> int:
    """The key as format/model_plan.fbs words it, block by block."""
    data = weights.astype("<f4").tobytes()
    while len(data) > 1024:
        data = b"".join(of(data[i : i + 1024]).to_bytes(8, "little") for i in range(0, len(data), 1024))
    shape = b"".join(size.to_bytes(4, "little") for size in weights.shape)
    return of(shape + of(data).to_bytes(8, "little"))


@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 1), (4, 1, 1, 64), (257, 1, 1, 1), (32, 3, 3, 29), (64, 3, 3, 64), (17, 7, 7, 1031)]
)
def test_key_is_what_the_schema_says(shape: tuple[int, ...]) -> None:
    weights = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    assert weights_key(weights) == by_the_schema(weights)


def test_keys_that_other_languages_must_make_too() -> None:
    ramp = np.arange(2 * 3 * 3 * 100, dtype=np.float32).reshape(2, 3, 3, 100)
    assert weights_key(ramp) == RAMP
    assert weights_key(ramp.reshape(2, 3, 100, 3)) == RAMP_TURNED
    ramp[0, 0, 0, 0] = -0.0
    assert weights_key(ramp) not in (RAMP, RAMP_TURNED)
