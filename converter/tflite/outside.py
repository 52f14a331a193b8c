"""Constants and custom options that a ``.tflite`` keeps behind its flatbuffer, which cannot exceed 2 GiB itself.

    [ flatbuffer: Buffer.offset, Buffer.size ][ zeros ][ data ][ zeros ][ data ] ...   offsets are the file's

Reading brings them in, so that nothing else need know; writing puts constants there again where the flatbuffer would
grow too large. Offsets and sizes of 0 and 1 mean that there is nothing outside, as in LiteRT.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from mcpruner.converter.tflite.checked_schema import schema

# Smaller constants stay inside: models have many of them, and together they are far from 2 GiB. This bound is a page of
# memory; others were not measured.
_LEAST_BYTES = 4096


def bring_in(model: Any, content: bytes) -> int:
    """Give buffers and operators what they have outside, in place.

    Parameters
    ----------
    model
        ``ModelT`` as it was read.
    content
        The whole file.

    Returns
    -------
    int
        Position in the file behind the last byte that was brought in; 0 where there is nothing outside.

    Raises
    ------
    ValueError
        An offset points outside of the file, or there is data inside as well.
    """
    end = 0

    def read(offset: int, size: int) -> np.ndarray:
        nonlocal end
        if offset + size > len(content):
            raise ValueError(f"an offset points to byte {offset} of {len(content)}")
        end = max(end, offset + size)
        return np.frombuffer(content, np.uint8, size, offset)

    for buffer in model.buffers:
        if buffer.offset > 1 and buffer.size > 1:
            if buffer.data is not None and len(buffer.data):
                raise ValueError("a buffer has its data both inside and outside of the flatbuffer")
            buffer.data, buffer.offset, buffer.size = read(buffer.offset, buffer.size), 0, 0
    for op in (op for graph in model.subgraphs for op in graph.operators):
        if op.largeCustomOptionsOffset > 1 and op.largeCustomOptionsSize > 1:
            op.customOptions = read(op.largeCustomOptionsOffset, op.largeCustomOptionsSize)
            op.largeCustomOptionsOffset = op.largeCustomOptionsSize = 0
    return end


def pack_outside(model: Any, pack: Callable[[Any], bytes], alignment: int) -> bytes:
    """The file of a model whose larger constants stand behind its flatbuffer.

    Metadata stays inside, where every reader looks for it.

    Parameters
    ----------
    model
        ``ModelT``; it is left as it is.
    pack
        Makes the flatbuffer of a model.
    alignment
        Each constant begins at a multiple of this many bytes.
    """
    metadata = {entry.buffer for entry in model.metadata or []}
    moved = [
        number
        for number, buffer in enumerate(model.buffers)
        if number not in metadata and buffer.data is not None and len(buffer.data) >= _LEAST_BYTES
    ]

    def with_offsets(offsets: list[int]) -> bytes:
        light = copy.copy(model)
        light.buffers = list(model.buffers)
        for number, offset in zip(moved, offsets, strict=True):
            light.buffers[number] = schema.BufferT(offset=offset, size=len(model.buffers[number].data))
        return pack(light)

    # The right offsets, which are not 0 either, make a flatbuffer of the same length as these.
    end = len(with_offsets([alignment] * len(moved)))
    offsets, pieces = [], []
    for number in moved:
        padding = -end % alignment
        offsets.append(end + padding)
        pieces += [bytes(padding), memoryview(np.asarray(model.buffers[number].data, np.uint8))]
        end = offsets[-1] + len(model.buffers[number].data)
    return b"".join([with_offsets(offsets), *pieces])
