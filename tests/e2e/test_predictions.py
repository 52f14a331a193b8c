"""The plugin predicts the same nanoseconds as the converter, operator by operator, and takes the partitions it expects.

The networks are those of the zoo (a sample of them, all with ``--long``): dense, and with all layers packed that have
zeros. Both predict by each shipped table, for one thread and for two.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import zoo
from flat_costs import calibration
from packing import pack_every_layer
from predictions import Predicted, by_converter, by_plugin, prune_weights
from small_network import small_network

import mcpruner
from mcpruner.converter.cost.cost_model import SHIPPED
from mcpruner.converter.source import load_source

THREADS = (1, 2)
TABLES = sorted(path.stem for path in SHIPPED.glob("*.json"))
SAMPLE = ("group_norm", "landmarks", "shufflenet_v1", "unet_transpose")
networks = pytest.mark.parametrize(
    "dense",
    [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.long) for name in zoo.ZOO],
    indirect=True,
    scope="module",
)


@pytest.fixture(scope="module")
def dense(request: pytest.FixtureRequest) -> bytes:
    """The dense file of the network that the test names."""
    return load_source(zoo.ZOO[request.param].build())


def nanoseconds(value: float) -> Any:
    """A time as the report has it, with six digits behind the point."""
    return pytest.approx(value, rel=1e-6, abs=1e-6)


def compare(content: bytes, table: str, num_threads: int) -> Predicted:
    """Compare a file's predictions by one table; returns the converter's."""
    expected = by_converter(content, table, num_threads)
    report = by_plugin(content, num_threads, costs=SHIPPED / f"{table}.json")
    together = {node: set(d["nodes"]) for d in report["decisions"] if d["subgraph"] == 0 for node in d["nodes"]}
    nodes = [node for node in report["nodes"] if node["subgraph"] == 0]
    assert expected.times and expected.times.keys() <= {node["node"] for node in nodes}
    for node in nodes:
        number = node["node"]
        tflite_ns, plugin_ns = expected.times.get(number, (0.0, 0.0))
        folded = expected.hosts.get(number) in together.get(number, ())
        assert node["tflite_nanoseconds"] == nanoseconds(tflite_ns), node
        assert node["plugin_nanoseconds"] == nanoseconds(0 if folded else plugin_ns), node
    taken = [d for d in report["decisions"] if d["taken"] and d["subgraph"] == 0]
    assert [tuple(d["nodes"]) for d in taken] == [partition.ops for partition in expected.partitions]
    for ours, theirs in zip(taken, expected.partitions, strict=True):
        assert ours["tflite_nanoseconds"] == nanoseconds(theirs.tflite_ns)
        assert ours["plugin_nanoseconds"] == nanoseconds(theirs.plugin_ns)
    return expected


@networks
def test_dense_networks(dense: bytes) -> None:
    for table, num_threads in itertools.product(TABLES, THREADS):
        assert compare(dense, table, num_threads).partitions == ()


@networks
def test_packed_networks(dense: bytes) -> None:
    with pack_every_layer():
        content, report = mcpruner.convert(prune_weights(dense), target="x86-64")
    assert report.num_accelerated > 0
    for table in TABLES:
        one, two = (compare(content, table, num_threads) for num_threads in THREADS)
        assert one.partitions and two.partitions
        assert sum(times[0] for times in two.times.values()) < sum(times[0] for times in one.times.values())


def test_a_calibration_takes_the_place_of_the_shipped_table(tmp_path: Path) -> None:
    content, path = small_network(), calibration(tmp_path, tflite_conv=3000)
    assert by_plugin(content, simd="scalar")["costs"] == "avx2"
    report = by_plugin(content, costs=path)
    assert report["costs"] == str(path)
    convolutions = [n["tflite_nanoseconds"] for n in report["nodes"] if n["op"] == "CONV_2D"]
    assert convolutions == [3000, 1000, 3000]  # the second one is pointwise
    path.write_text('{"format": 1}')
    message = f"option costs: expected a file that `mcpruner calibrate` wrote, got '{path}': its format is 1, "
    with pytest.raises(ValueError, match=re.escape(message + "this version reads 2")):
        by_plugin(content, costs=path)
