"""Weights that a smaller type would lose keep float32, filter by filter, with the reason."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.convert import convert
from mcpruner.converter.format.value_type import choose_value_type
from mcpruner.converter.tflite.densify import densify

RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("values", ["float32", "float16", "int8"])
@pytest.mark.parametrize("scale", [1.0, 1e-3, 100.0])
@pytest.mark.parametrize("shape", [(32, 3, 3, 16), (1, 1, 1, 1), (10, 1, 1, 4096)])
def test_ordinary_weights_are_stored_as_asked(values: str, scale: float, shape: tuple[int, ...]) -> None:
    assert choose_value_type(normal(*shape) * np.float32(scale), values) == (values, "")


def _all_tiny(weights: np.ndarray) -> None:
    weights *= np.float32(1e-9)


def _half_tiny(weights: np.ndarray) -> None:
    weights *= np.float32(1e-5)  # halves, but of few digits


def _one_tiny_filter(weights: np.ndarray) -> None:
    weights[3] *= np.float32(1e-9)


def _one_denormal_filter(weights: np.ndarray) -> None:
    weights[3] *= np.float32(1e-44)


def _too_large(weights: np.ndarray) -> None:
    weights[0, 0, 0, 0] = 65520


def _one_outlier(weights: np.ndarray) -> None:
    weights[5, 0, 0, 0] = 1000


@pytest.mark.parametrize(
    ("change", "values", "reason"),
    [
        (_all_tiny, "float16", "float16 would change a filter by 100 %"),
        (_half_tiny, "float16", "float16 would change a filter by "),
        (_one_tiny_filter, "float16", "float16 would change a filter by 100 %"),
        (_one_denormal_filter, "float16", "float16 would change a filter by 100 %"),
        (_one_denormal_filter, "int8", "int8 would change a filter by "),
        (_too_large, "float16", "a weight exceeds float16's range"),
        (_one_outlier, "int8", "int8 would change a filter by "),
    ],
)
def test_weights_that_would_be_lost_keep_float32(change: object, values: str, reason: str) -> None:
    weights = normal(16, 3, 3, 1024)
    change(weights)
    chosen, why = choose_value_type(weights, values)
    assert chosen == "float32" and why.startswith(reason)


@pytest.mark.parametrize("values", ["float16", "int8"])
def test_a_few_tiny_weights_among_others_do_not_matter(values: str) -> None:
    weights = normal(16, 3, 3, 16)
    weights[:, 0] *= np.float32(1e-9)
    weights[2] = 0
    assert choose_value_type(weights, values) == (values, "")


@pytest.mark.parametrize("values", ["float16", "int8"])
@pytest.mark.parametrize("scale", [1e-12, 1e-8, 1e-5, 1.0, 1e4])
def test_a_network_of_scaled_layers_computes_what_it_did(values: str, scale: float) -> None:
    net = TfliteBuilder()
    keep = np.repeat(RNG.random((16, 3, 3, 16)) < 0.2, 4, axis=0)
    first, second = (normal(64, 3, 3, 16) * keep, normal(64, 3, 3, 64) * np.repeat(keep, 4, axis=3))
    y = net.conv(net.input((1, 14, 14, 16)), first * np.float32(scale), activation="RELU", name="first")
    dense = net.build([net.conv(y, second / np.float32(scale), name="second")])
    content, report = convert(dense, values=values)
    assert [layer.accelerated for layer in report.layers] == [True, True]
    x = normal(1, 14, 14, 16)
    expected, actual = run(dense, x)[0], run(densify(content), x)[0]
    assert np.abs(actual - expected).max() / np.abs(expected).max() < {"float16": 2e-3, "int8": 5e-2}[values]
