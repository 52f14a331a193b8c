"""The native module: arguments, errors, single layers and the plugin's report."""

from __future__ import annotations

import numpy as np
import op_models
import pytest
from ai_edge_litert.interpreter import Interpreter, load_delegate

import mcpruner
from mcpruner import _native as native
from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.pack import pack
from mcpruner.converter.format.serialize import SparseOptions, serialize, serialize_options

X = np.arange(2 * 4 * 3 * 2, dtype=np.float32).reshape(2, 4, 3, 2) / 7


def _layer(kind: str = "Conv2D") -> SparseLayer:
    rng = np.random.default_rng(5)
    weights = rng.standard_normal((5, 1, 1, 2)).astype(np.float32)
    weights[rng.random(weights.shape) < 0.3] = 0
    permutation = np.array([4, 2, 0, 1, 3], np.uint16)
    return pack(weights, permutation, 2, bias=np.arange(5, dtype=np.float32), kind=kind)


def _options(**fields) -> bytes:
    return serialize_options(SparseOptions(**fields))


def test_features_and_targets() -> None:
    assert native.simd_targets()[-1] == "scalar"
    assert "ConvTile" in native.kernels()
    assert len(set(native.cpu_features())) == len(native.cpu_features()) > 0


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("kind", ["Conv2D", "FullyConnected"])
def test_layer_is_a_matrix_product(kind: str, backend: str) -> None:
    blob = serialize(_layer(kind))
    dense = native.read_layer(blob)["weights"].reshape(5, 2)
    y = native.run_layer(blob, _options(), X, backend=backend)
    want = X @ dense.T + np.arange(5, dtype=np.float32)
    np.testing.assert_allclose(y, want if kind == "Conv2D" else want.reshape(24, 5), rtol=0, atol=1e-5)
    assert y.dtype == np.float32


@pytest.mark.parametrize("threads", [1, 2])
def test_every_simd_target_agrees(threads: int) -> None:
    blob = serialize(_layer())
    want = native.run_layer(blob, _options(), X, backend="reference")
    for simd in native.simd_targets():
        got = native.run_layer(blob, _options(), X, simd=simd, num_threads=threads)
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)


def test_read_layer_shows_what_was_written() -> None:
    layer = _layer()
    read = native.read_layer(serialize(layer))
    assert (read["kind"], read["kernel_size"], read["group_size"]) == ("Conv2D", (1, 1), 2)
    assert (read["in_channels"], read["out_channels"], read["value_type"]) == (2, 5, "float32")
    for field in ("patterns", "group_runs", "run_patterns", "run_counts", "channels", "values", "permutation", "bias"):
        want = getattr(layer, field)
        assert read[field].dtype == want.dtype, field
        np.testing.assert_array_equal(read[field], want)


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        ([[1.0]], TypeError, "x must be a NumPy array, got <class 'list'>"),
        (X.astype(np.float64), TypeError, "x must be float32, got float64"),
        (X.astype(">f4"), TypeError, "x must be float32, got >f4"),
        (X[..., ::-1], ValueError, "x must be C-contiguous; use numpy.ascontiguousarray"),
        (X[0], ValueError, "expected an input of 4 dimensions, got 3"),
        (np.zeros((1, 4, 4, 3), np.float32), ValueError, "the weights expect 2 input channels, the input has 3"),
    ],
)
def test_inputs_that_do_not_fit(x, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        native.run_layer(serialize(_layer()), _options(), x)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"backend": "gpu"}, "expected backend 'cpu', 'opencl' or 'reference', got 'gpu'"),
        ({"backend": "reference", "simd": "scalar"}, "backend 'reference' has no simd targets"),
        ({"simd": "mmx"}, "mmx"),
        ({"num_threads": 0}, "thread"),
    ],
)
def test_choices_that_do_not_exist(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        native.run_layer(serialize(_layer()), _options(), X, **arguments)


def test_damaged_bytes_are_one_sentence() -> None:
    blob = serialize(_layer())
    with pytest.raises(
        ValueError, match=r"its options \(3 bytes\) are neither a FlexBuffers map nor a SparseOptions flatbuffer"
    ):
        native.run_layer(blob, b"abc", X)
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        native.run_layer(blob[:-9], _options(), X)
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        native.read_layer(b"")


def test_batches_of_zero_are_tolerated() -> None:
    assert native.run_layer(serialize(_layer()), _options(), X[:0]).shape == (0, 4, 3, 5)


def test_report_and_profile_of_a_loaded_delegate() -> None:
    path = mcpruner.delegate_path()
    delegate = load_delegate(path, {"verbosity": 0, "backend": "cpu"})
    pointer = delegate._get_native_delegate_pointer()
    interpreter = Interpreter(model_content=op_models.build("add_relu"), experimental_delegates=[delegate])
    interpreter.allocate_tensors()
    assert [node["op"] for node in native.report(path, pointer)["nodes"]] == ["CONV_2D", "CONV_2D", "ADD"]
    native.set_profiling(path, pointer, True)
    interpreter.invoke()
    interpreter.invoke()
    ops = native.profile(path, pointer)
    assert {op["runs"] for op in ops if op["type"] == "Conv"} == {2}
    native.set_profiling(path, pointer, False)
    interpreter.invoke()
    assert {op["runs"] for op in native.profile(path, pointer) if op["type"] == "Conv"} <= {0, 2}


@pytest.mark.parametrize("call", [native.report, native.profile, lambda *a: native.set_profiling(*a, True)])
def test_plugins_that_are_not_there(call, tmp_path) -> None:
    with pytest.raises(ValueError, match="expected the address of a delegate, got 0"):
        call(mcpruner.delegate_path(), 0)
    with pytest.raises(ValueError, match="cannot load the plugin: .*absent.so"):
        call(str(tmp_path / "absent.so"), 1)
    with pytest.raises(ValueError, match="this is no mcpruner plugin"):
        call("libm.so.6", 1)
