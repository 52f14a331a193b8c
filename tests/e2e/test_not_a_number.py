"""NaN and infinity pass as in LiteRT without the plugin, in every backend and instruction set.

LiteRT has two implementations that differ in their own ways: XNNPACK's pools make minus infinity of NaN (in older
versions plus infinity), its layers with weights multiply NaN with the zeros that fill up their vectors, and its resizes
multiply neighbours with shares of 0; TFLite's own kernels cut infinity to the largest float. So these operators are
compared with TFLite's own kernels (a maximum leaves NaN out, an average is NaN), its largest float taken for infinity,
and all others with XNNPACK.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from op_models import Stage
from opencl_device import needs_opencl
from tflite_builder import TfliteBuilder

import mcpruner
import mcpruner._native as native

SHAPE = (1, 9, 21, 6)
ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


def _unary(code: str) -> Callable[[Stage], int]:
    return lambda s: s.net.operator(code, [s.x], SHAPE)


def _binary(code: str, activation: str) -> Callable[[Stage], int]:
    options = getattr(schema, f"{code.capitalize()}OptionsT")

    def add(s: Stage) -> int:
        fused = options(fusedActivationFunction=getattr(schema.ActivationFunctionType, activation))
        return s.net.operator(code, [s.x, s.net.constant(-_inputs()[:, ::-1])], SHAPE, fused)

    return add


def _two(code: str, options: Any) -> Callable[[Stage], int]:
    return lambda s: s.net.operator(code, [s.x, s.net.constant(-_inputs()[:, ::-1])], SHAPE, options)


def _pool(code: str, activation: str) -> Callable[[Stage], int]:
    def add(s: Stage) -> int:
        options = schema.Pool2DOptionsT(
            padding=schema.Padding.SAME,
            strideH=2,
            strideW=2,
            filterHeight=3,
            filterWidth=2,
            fusedActivationFunction=getattr(schema.ActivationFunctionType, activation),
        )
        return s.net.operator(code, [s.x], (1, 5, 11, 6), options)

    return add


def _reduce(code: str, axis: int) -> Callable[[Stage], int]:
    shape = tuple(n for i, n in enumerate(SHAPE) if i != axis)
    return lambda s: s.net.operator(code, [s.x, s.ints(axis)], shape, schema.ReducerOptionsT())


def _resize(code: str, half: bool) -> Callable[[Stage], int]:
    table = {"BILINEAR": schema.ResizeBilinearOptionsT, "NEAREST_NEIGHBOR": schema.ResizeNearestNeighborOptionsT}[code]
    return lambda s: s.net.operator(
        f"RESIZE_{code}", [s.x, s.ints(18, 42)], (1, 18, 42, 6), table(halfPixelCenters=half)
    )


def _softmax(s: Stage) -> int:
    return s.net.operator("SOFTMAX", [s.x], SHAPE, schema.SoftmaxOptionsT(beta=1.0))


def _depthwise(activation: str) -> Callable[[Stage], int]:
    def add(s: Stage) -> int:
        y = s.net.depthwise_conv(s.x, s.random(1, 1, 1, 6))
        options = s.net.graph.operators[-1].builtinOptions
        options.fusedActivationFunction = getattr(schema.ActivationFunctionType, activation)
        return y

    return add


def _fully_connected(activation: str) -> Callable[[Stage], int]:
    return lambda s: s.net.fully_connected(s.x, s.random(5, 6), s.random(5), activation, keep_num_dims=True)


# REDUCE_MAX and REDUCE_MIN are not among them: LiteRT forgets what stands before a NaN, and the plugin leaves NaN out.
# EXP is not among them: LiteRT makes 0 of NaN there, and the plugin NaN, as C's exp does.
UNARY = ("RELU", "RELU6", "RELU_N1_TO_1", "LOGISTIC", "HARD_SWISH", "TANH", "ELU", "LOG", "SQRT", "RSQRT")
TWO = {
    "MAXIMUM": schema.MaximumMinimumOptionsT(),
    "MINIMUM": schema.MaximumMinimumOptionsT(),
    "SQUARED_DIFFERENCE": schema.SquaredDifferenceOptionsT(),
}
CASES: dict[str, Callable[[Stage], int]] = {
    **{code: _unary(code) for code in UNARY},
    "PRELU": lambda s: s.net.operator("PRELU", [s.x, s.net.constant(-_inputs()[:, ::-1])], SHAPE),
    **{f"{code}_{act}": _binary(code, act) for code in ("ADD", "MUL", "SUB", "DIV") for act in ACTIVATIONS},
    **{code: _two(code, options) for code, options in TWO.items()},
    **{f"{code}_{act}": _pool(code, act) for code in ("MAX_POOL_2D", "AVERAGE_POOL_2D") for act in ACTIVATIONS},
    **{
        f"RESIZE_{code}_{half}": _resize(code, half)
        for code in ("BILINEAR", "NEAREST_NEIGHBOR")
        for half in (False, True)
    },
    "SPACE_TO_DEPTH": lambda s: s.net.operator(
        "SPACE_TO_DEPTH", [s.x], (1, 3, 7, 54), schema.SpaceToDepthOptionsT(blockSize=3)
    ),
    "MIRROR_PAD": lambda s: s.net.operator(
        "MIRROR_PAD",
        [s.x, s.ints([0, 0], [2, 3], [4, 0], [0, 1])],
        (1, 14, 25, 7),
        schema.MirrorPadOptionsT(mode=schema.MirrorPadMode.REFLECT),
    ),
    "GATHER": lambda s: s.net.operator("GATHER", [s.x, s.ints(20, 3, 1)], (1, 9, 3, 6), schema.GatherOptionsT(axis=2)),
    "L2_NORMALIZATION": lambda s: s.net.operator("L2_NORMALIZATION", [s.x], SHAPE, schema.L2NormOptionsT()),
    "SOFTMAX": _softmax,
    **{f"{code}_{axis}": _reduce(code, axis) for code in ("MEAN", "SUM") for axis in (1, 2, 3)},
    "MEAN": lambda s: s.net.mean(s.x),
    **{f"DEPTHWISE_CONV_2D_{act}": _depthwise(act) for act in ACTIVATIONS},
    **{f"FULLY_CONNECTED_{act}": _fully_connected(act) for act in ACTIVATIONS},
}
OWN_KERNELS = ("MAXIMUM", "MINIMUM", "MAX_POOL", "AVERAGE_POOL", "DEPTHWISE_CONV", "FULLY_CONNECTED", "RESIZE_BILINEAR")
BACKENDS = [{"backend": "reference"}, *({"backend": "cpu", "simd": simd} for simd in native.simd_targets())]


@functools.cache
def _inputs() -> np.ndarray:
    """Ordinary numbers, and about one of ten that is none."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal(SHAPE).astype(np.float32)
    specials = np.array([np.nan, np.inf, -np.inf, 7.0, -7.0], np.float32)
    return np.where(rng.random(SHAPE) < 0.1, rng.choice(specials, SHAPE), x)


@functools.cache
def _model(name: str) -> bytes:
    """The case's operator, and a convolution beside it: partitions without one are left to TFLite."""
    net = TfliteBuilder()
    stage = Stage(net, np.random.default_rng(2), net.input(SHAPE))
    y = CASES[name](stage)
    return net.build([y, stage.conv()])


def _run(interpreter: Interpreter, x: np.ndarray) -> np.ndarray:
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def _check(name: str, options: dict[str, str]) -> None:
    own, x = name.startswith(OWN_KERNELS), _inputs()
    if options["backend"] == "opencl" and name.startswith("FULLY_CONNECTED"):
        x = np.where(np.isinf(x), np.float32(np.nan), x)  # taps are filled up with weights of 0
    if name.startswith("RESIZE_BILINEAR"):
        x = np.where(np.isinf(x), np.float32(np.nan), x)  # TFLite multiplies infinity with shares of 0
    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if own else OpResolverType.BUILTIN
    want = _run(Interpreter(model_content=_model(name), experimental_op_resolver_type=resolver), x)
    if own:
        want = np.where(np.abs(want) == np.finfo(np.float32).max, np.copysign(np.float32(np.inf), want), want)
    interpreter = mcpruner.Interpreter(model_content=_model(name), **options)
    got = _run(interpreter, x)
    taken = {node["op"]: node["backend"] for node in interpreter.report()["nodes"]}
    assert set(taken.values()) == {options["backend"]}, taken
    assert np.isnan(want).any() == np.isnan(got).any()
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)  # NaN and infinity in the same places


@pytest.mark.parametrize("options", BACKENDS, ids=lambda options: "-".join(options.values()))
@pytest.mark.parametrize("name", CASES)
def test_passes_as_in_litert(name: str, options: dict[str, str]) -> None:
    _check(name, options)


# Each is a program to compile, so those that clamp alike are left out.
@needs_opencl
@pytest.mark.parametrize("name", [name for name in CASES if not name.endswith(("6", "N1_TO_1"))])
def test_passes_on_a_device(name: str) -> None:
    _check(name, {"backend": "opencl"})
