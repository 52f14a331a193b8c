"""The report reads well and its JSON stays the same."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mcpruner.converter.tflite.report import LayerReport, Report


@pytest.fixture
def report() -> Report:
    packed = LayerReport(
        "conv1",
        0,
        "CONV_2D",
        [64, 3, 3, 32],
        0.178,
        8,
        4,
        73984,
        7000,
        4.25,
        True,
        "sparse: density 0.178, groups of 4",
    )
    dense = LayerReport("fc", 7, "FULLY_CONNECTED", [10, 64], reason="dense: it has no zeros")
    return Report("generic", "float16", "packed", 80000, 13000, 3.5, [packed, dense])


def test_json_is_stable(report: Report) -> None:
    data = json.loads(report.to_json())
    assert list(data) == [
        "target",
        "values",
        "format",
        "bytes_before",
        "bytes_after",
        "predicted_speedup",
        "num_threads",
        "summary",
        "layers",
        "partitions",
        "notes",
    ]
    assert list(data["layers"][0]) == [
        "name", "index", "op", "shape", "density", "num_patterns", "group_size", "bytes_before", "bytes_after",
        "predicted_speedup", "accelerated", "reason",
    ]  # fmt: skip
    assert data["layers"][0]["shape"] == [64, 3, 3, 32] and data["layers"][1]["accelerated"] is False
    assert report.to_json() == report.to_json() and report.to_json().endswith("}\n")


def test_table_says_why(report: Report) -> None:
    table = report.table()
    for text in ("0 conv1", "64x3x3x32", "0.178", "73984 -> 7000", "4.25", "groups of 4", "7 fc", "it has no zeros"):
        assert text in table
    assert table.endswith(
        "1 of 2 layers are packed for generic, predicted 3.50 times as fast together; 80000 bytes became 13000.\n"
    )
    assert "\x1b" not in table


def test_the_summary_says_for_how_many_threads(report: Report) -> None:
    several = replace(report, num_threads=4)
    assert "predicted 3.50 times as fast together on 4 threads; " in several.summary
    dense = replace(several, layers=[report.layers[1]])
    assert dense.summary.startswith("None of 1 layers was packed for 4 threads: all weights are as they were.")


def test_a_file_without_packed_layers_says_so(report: Report) -> None:
    report.format, report.notes = "portable", ["The plans in the file were ignored: they are damaged."]
    assert report.table().endswith(
        "The plans in the file were ignored: they are damaged.\n"
        "1 of 2 layers can be packed by the plan in the portable file for generic, predicted 3.50 times as fast "
        "together; 80000 bytes became 13000.\n"
    )


def test_summary_of_a_model_without_layers(report: Report) -> None:
    report.layers = []
    assert report.summary == "The model has no convolution and no dense layer, so nothing was packed."
    assert report.table() == report.summary + "\n"


def test_summary_when_nothing_was_packed(report: Report) -> None:
    report.layers = report.layers[1:]
    assert report.num_accelerated == 0
    packed = "None of 1 layers was packed: all weights are as they were."
    assert report.summary.startswith(packed + " They have hardly any zeros: prune the model first")
    report.layers[0].density = 0.5
    assert report.summary == packed
