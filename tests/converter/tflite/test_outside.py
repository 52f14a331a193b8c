"""Constants and options behind the flatbuffer: read as LiteRT reads them, written where the flatbuffer is too small."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated
from small_network import prunable, small_network
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.convert import convert
from mcpruner.converter.tflite import model as tflite_model
from mcpruner.converter.tflite import outside
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.model import read_model, write_model

pytestmark = pytest.mark.usefixtures("free_calls")

GIGABYTE = 1 << 30
X = np.random.default_rng(1).standard_normal((1, 13, 11, 16)).astype(np.float32)


@pytest.fixture
def small_flatbuffers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if a flatbuffer had room for 4000 bytes of constants."""
    with monkeypatch.context() as patch:
        patch.setattr(outside, "_LEAST_BYTES", 256)
        patch.setattr(tflite_model, "MAX_BYTES", (1 << 20) + 4000)
        yield


def bytes_inside(content: bytes) -> int:
    """Of constants, as the flatbuffer itself has them."""
    model = schema_py_generated.ModelT.InitFromPackedBuf(content)
    return sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)


def test_a_file_too_large_for_a_flatbuffer_runs_as_it_did(small_flatbuffers: None) -> None:
    dense = small_network()
    content = write_model(read_model(dense))
    raw = schema_py_generated.ModelT.InitFromPackedBuf(content)
    moved = [buffer for buffer in raw.buffers if buffer.offset]
    assert len(moved) == 4 and bytes_inside(content) < 4000
    assert all(buffer.offset % 16 == 0 and buffer.data is None for buffer in moved)
    assert moved[-1].offset + moved[-1].size == len(content)
    np.testing.assert_array_equal(run(content, X)[0], run(dense, X)[0])
    assert write_model(read_model(content)) == content


def test_constants_outside_are_packed_like_those_inside(small_flatbuffers: None) -> None:
    dense = small_network()
    far = write_model(read_model(dense))
    content, report = convert(far)
    expected, expected_report = convert(dense)
    assert [layer.density for layer in report.layers] == [layer.density for layer in expected_report.layers]
    assert report.num_accelerated == expected_report.num_accelerated > 0
    np.testing.assert_array_equal(run(densify(content), X)[0], run(densify(expected), X)[0])


def test_a_flatbuffer_that_is_too_large_without_its_constants_is_refused(
    small_flatbuffers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "_LEAST_BYTES", 1 << 20)
    with pytest.raises(ValueError, match=r"would have a flatbuffer of \d+ bytes; one holds at most"):
        write_model(read_model(small_network()))


@pytest.mark.parametrize("size", [2, 1 << 20])
def test_offsets_outside_of_the_file_are_damage(size: int) -> None:
    net = TfliteBuilder()
    y = net.add(net.input((4,)), net.constant(np.ones(4, np.float32)))
    net.model.buffers[1].data, net.model.buffers[1].offset, net.model.buffers[1].size = None, 1 << 40, size
    with pytest.raises(ValueError, match=r"is damaged \(an offset points to byte 1099511627776 of"):
        read_model(net.build([y]))


def test_a_buffer_inside_and_outside_is_damage() -> None:
    net = TfliteBuilder()
    y = net.add(net.input((4,)), net.constant(np.ones(4, np.float32)))
    net.model.buffers[1].offset, net.model.buffers[1].size = 16, 16
    with pytest.raises(ValueError, match="a buffer has its data both inside and outside"):
        read_model(net.build([y]))


def test_large_custom_options_come_in() -> None:
    net = TfliteBuilder()
    x = net.input((1, 8, 8, 16))
    y = net.custom("Theirs", [net.conv(x, prunable(np.random.default_rng(0), (32, 3, 3, 16)))], (1, 8, 8, 32), b"")
    op = net.graph.operators[-1]
    op.customOptions, op.largeCustomOptionsOffset, op.largeCustomOptionsSize = None, 2, 1000
    options = bytes(range(250)) * 4
    position = -(-len(net.build([y])) // 16) * 16
    op.largeCustomOptionsOffset = position
    dense = net.build([y]).ljust(position, b"\0") + options
    content, report = convert(dense)
    assert report.num_accelerated == 1
    op = read_model(content).subgraphs[0].operators[-1]
    assert bytes(op.customOptions) == options and op.largeCustomOptionsOffset == op.largeCustomOptionsSize == 0


def test_a_constant_beyond_two_gigabytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    net = TfliteBuilder()
    x = net.input((1, 8, 8, 16))
    weights = prunable(rng, (32, 3, 3, 16))
    y = net.conv(x, weights)
    near, position = net.build([y]), 2 * GIGABYTE + 4096
    buffer = net.model.buffers[1]
    buffer.data, buffer.offset, buffer.size = None, position, weights.nbytes
    path = tmp_path / "far.tflite"
    with path.open("wb") as file:  # zeros in between take no room on the disk
        file.write(net.build([y]))
        file.seek(position)
        file.write(weights.tobytes())
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        assert write_model(read_model(content)) == write_model(read_model(near))
