"""The key by which a plan finds its weights again: `format/model_plan.fbs` says what it is made of.

    weights as float32 ── XXH64 of each 1024 bytes ── of each 1024 bytes of these ── ... ── XXH64 ─┐
    shape O, H, W, I ──────────────────────────────────────────────────────────────────────────────┴─ XXH64 ── key

XXH64 goes through its input word by word, which Python is slow at. Here blocks are hashed side by side, each step of
the hash for all of them: NumPy gets through more than a gigabyte in a second.
"""

import numpy as np

_BLOCK = 1024
_AT_ONCE = 1 << 10  # So many blocks, a megabyte, stay in the cache while they are hashed.
_PRIMES = [
    np.uint64(p)
    for p in (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
]
_P1, _P2, _P3, _P4, _P5 = _PRIMES
# What the four lanes of 8 bytes begin with, with seed 0.
_LANES = np.array([0x60EA27EEADC0B5D6, 0xC2B2AE3D27D4EB4F, 0, 0x61C8864E7A143579], np.uint64)


def weights_key(weights: np.ndarray) -> int:
    """The key of a layer's weights.

    Parameters
    ----------
    weights
        float32 OHWI ``[O, H, W, I]``, as the kernels of TFLite see them; of a fully-connected layer ``[O, 1, 1, I]``.

    Returns
    -------
    int
        0..2^64 - 1.
    """
    digests = np.ascontiguousarray(weights, "<f4").reshape(-1).view(np.uint8)
    while digests.size > _BLOCK:
        digests = _hash_blocks(digests)
    shape = np.array(weights.shape, "<u4").view(np.uint8)
    return int(xxh64(np.concatenate([shape, xxh64(digests[None]).view(np.uint8)])[None])[0])


def _hash_blocks(data: np.ndarray) -> np.ndarray:
    """XXH64 of each block, the last of which may be shorter, as bytes one after another."""
    whole = data[: data.size // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    parts = [xxh64(whole[first : first + _AT_ONCE]) for first in range(0, len(whole), _AT_ONCE)]
    if whole.size < data.size:
        parts.append(xxh64(data[None, whole.size :]))
    return np.concatenate(parts).view(np.uint8)


def xxh64(rows: np.ndarray) -> np.ndarray:
    """XXH64 with seed 0 of each row of bytes.

    Parameters
    ----------
    rows
        uint8 ``[rows, length]``.

    Returns
    -------
    numpy.ndarray
        uint64 little-endian ``[rows]``.
    """
    count, length = rows.shape
    stripes = length // 32
    if stripes:
        words = np.ascontiguousarray(rows[:, : stripes * 32]).view("<u8").reshape(count, stripes, 4)
        lanes = np.tile(_LANES, (count, 1))
        for stripe in range(stripes):
            lanes = _round(lanes, words[:, stripe])
        turned = [_rotate(lanes[:, lane], by) for lane, by in enumerate((1, 7, 12, 18))]
        found = turned[0] + turned[1] + turned[2] + turned[3]
        for lane in range(4):
            found = (found ^ _round(np.zeros(count, np.uint64), lanes[:, lane])) * _P1 + _P4
    else:
        found = np.full(count, _P5)
    found = _hash_rest(found + np.uint64(length), rows[:, stripes * 32 :])
    for shift, prime in ((33, _P2), (29, _P3)):
        found = (found ^ (found >> np.uint64(shift))) * prime
    return (found ^ (found >> np.uint64(32))).astype("<u8")


def _hash_rest(found: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Take in the bytes behind the last 32: by eight, by four, and one by one."""
    while rest.shape[1] >= 8:
        word = np.ascontiguousarray(rest[:, :8]).view("<u8")[:, 0]
        found = _rotate(found ^ _round(np.zeros(len(rest), np.uint64), word), 27) * _P1 + _P4
        rest = rest[:, 8:]
    if rest.shape[1] >= 4:
        word = np.ascontiguousarray(rest[:, :4]).view("<u4")[:, 0].astype(np.uint64)
        found = _rotate(found ^ (word * _P1), 23) * _P2 + _P3
        rest = rest[:, 4:]
    for byte in rest.T.astype(np.uint64):
        found = _rotate(found ^ (byte * _P5), 11) * _P1
    return found


def _round(lanes: np.ndarray, words: np.ndarray) -> np.ndarray:
    return _rotate(lanes + words * _P2, 31) * _P1


def _rotate(values: np.ndarray, by: int) -> np.ndarray:
    return (values << np.uint64(by)) | (values >> np.uint64(64 - by))
