"""Comparing a converted file with its dense self: pairing, rounding, errors of layers, and what must fail."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from corruption import change_one_weight
from small_network import Files, prunable, small_network
from tflite_builder import TfliteBuilder, run

import mcpruner
from mcpruner import verification
from mcpruner.converter.tflite import rewrite as tflite_rewrite
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.model import read_model
from mcpruner.pairing import paired_outputs, rounded_reference
from mcpruner.submodel import expose, extract
from mcpruner.verification import verify


def test_operators_pair_by_order(files: Files) -> None:
    pairs = paired_outputs(files.sparse.read_bytes(), files.dense.read_bytes())
    assert [name for name, _, _ in pairs] == ["conv1", "conv2", "conv3", "add", "mean", "classifier"]
    assert [name for name, _, _ in paired_outputs(files.sparse.read_bytes(), densify(files.sparse.read_bytes()))] == [
        name for name, _, _ in pairs
    ]


def other_network(kind: str) -> bytes:
    rng = np.random.default_rng(0)
    net = TfliteBuilder()
    x = net.input((1, 13, 11, 16))
    if kind == "shorter":
        return net.build([net.conv(x, prunable(rng, (32, 3, 3, 16)))])
    for _ in range(6):
        x = net.relu(x)
    return net.build([x])


@pytest.mark.parametrize("kind", ["shorter", "other"])
def test_other_network_is_refused(files: Files, kind: str) -> None:
    with pytest.raises(ValueError, match="The two files are not of the same network"):
        verify(files.sparse.read_bytes(), other_network(kind))


def test_equal_weights_pass_on_every_layer(files: Files) -> None:
    outcome = verify(files.sparse.read_bytes(), files.dense.read_bytes(), all_layers=True)
    assert outcome.ok and outcome.tolerance == 1e-4
    assert [error.name for error in outcome.outputs] == ["classifier"]
    assert [error.name for error in outcome.layers] == ["conv1", "conv2", "conv3", "add", "mean"]
    assert all(error.magnitude > 0 for error in [*outcome.outputs, *outcome.layers])
    assert {weight.different for weight in outcome.weights} == {0}


def test_without_a_dense_file_the_blobs_unpack_to_one(files: Files) -> None:
    assert verify(files.sparse.read_bytes(), all_layers=True, num_threads=2, batch=3).ok


@pytest.mark.parametrize("factor", [-1.0, 1.0 + 2.0**-20])
def test_one_corrupted_weight_fails(files: Files, factor: float) -> None:
    corrupted = change_one_weight(files.sparse.read_bytes(), 1, factor)
    outcome = verify(corrupted, files.dense.read_bytes(), all_layers=True)
    assert not outcome.ok
    assert {weight.name: weight.different for weight in outcome.weights}["conv2"] == 1
    if factor < 0:
        errors = {error.name: error.relative for error in outcome.layers}
        assert errors["conv1"] < 1e-4 < errors["conv2"]


@pytest.mark.parametrize(("values", "coarse"), [("float16", 2**-11), ("int8", 1 / 127)])
def test_rounding_is_applied_to_both_unless_told_otherwise(files: Files, values: str, coarse: float) -> None:
    content, _ = mcpruner.convert(files.dense, target="x86-64", values=values)
    dense = files.dense.read_bytes()
    assert verify(content, dense).ok
    both = verify(content, dense, all_layers=True)
    assert both.largest_error < 1e-5 < both.largest_exact_error < both.exact_tolerance
    assert [error.name for error in both.exact] == [error.name for error in [*both.outputs, *both.layers]]
    exact = verify(content, dense, exact_weights=True)
    assert exact.ok and exact.weights == [] and exact.exact == exact.outputs
    assert 1e-5 < exact.largest_error < 10 * coarse
    assert not verify(content, dense, exact_weights=True, tolerance=1e-6).ok


def test_what_rounding_lost_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that vanish in float16, were they stored so: equal to their rounded selves, not to the exact ones."""
    rng = np.random.default_rng(0)
    net = TfliteBuilder()
    y = net.conv(net.input((1, 8, 8, 16)), prunable(rng, (32, 3, 3, 16)) * np.float32(1e-9), name="small")
    dense = net.build([net.conv(y, prunable(rng, (32, 3, 3, 32)), name="next")])
    careful, report = mcpruner.convert(dense, values="float16")
    assert "as float32, since float16 would change a filter" in report.layers[0].reason
    assert verify(careful, dense).ok
    monkeypatch.setattr(tflite_rewrite, "choose_value_type", lambda weights, values: (values, ""))
    careless, _ = mcpruner.convert(dense, values="float16")
    outcome = verify(careless, dense)
    assert outcome.largest_error == 0 and outcome.largest_exact_error == 1.0 and not outcome.ok


def test_decisions_that_rounding_turns_are_told_but_pass() -> None:
    """ArgMax over channels that are nearly equal: int8 weights turn some, as the dense file rounded so does."""
    net = TfliteBuilder()
    y = net.conv(net.input((1, 32, 32, 16)), prunable(np.random.default_rng(0), (32, 3, 3, 16)))
    classes = net.operator(
        "ARG_MAX",
        [y, net.constant(np.array(3, np.int32))],
        net.shape(y)[:3],
        schema.ArgMaxOptionsT(outputType=schema.TensorType.INT64),
    )
    net.graph.tensors[classes].type = schema.TensorType.INT64
    dense = net.build([classes])
    outcome = verify(mcpruner.convert(dense, values="int8")[0], dense)
    assert outcome.outputs[0].decides and outcome.outputs[0].unequal == 0
    (exact,) = outcome.exact
    assert exact.unequal > 0 and exact.relative == exact.unequal / (3 * 2 * 2 * 32 * 32)
    assert outcome.ok and outcome.largest_exact_error == 0.0


def test_without_the_dense_file_the_exact_error_is_unknown(files: Files) -> None:
    outcome = verify(files.sparse.read_bytes())
    assert outcome.exact is None and outcome.largest_exact_error is None and outcome.ok


def test_nan_equals_nothing(files: Files) -> None:
    inputs = np.ones((2, 13, 11, 16), np.float32)
    inputs[1, 0, 0, 0] = np.nan
    outcome = verify(files.sparse.read_bytes(), files.dense.read_bytes(), inputs=inputs)
    assert outcome.outputs[0].nan and outcome.largest_error == np.inf and not outcome.ok
    assert not dataclasses.replace(outcome, tolerance=np.inf, exact_tolerance=np.inf).ok


def test_each_number_of_threads_runs_on_memory_full_of_each_poison(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dict] = []

    def interpreter(**options: Any) -> mcpruner.Interpreter:
        made.append({key: options[key] for key in ("num_threads", "poison_memory")})
        return mcpruner.Interpreter(**options)

    monkeypatch.setattr(verification, "Interpreter", interpreter)
    assert verify(files.sparse.read_bytes()).ok
    assert verify(files.sparse.read_bytes(), num_threads=3).ok
    assert [options["num_threads"] for options in made] == [1, 1, 2, 2, 3, 3]
    assert [np.isnan(options["poison_memory"]) for options in made] == [True, False] * 3
    assert {options["poison_memory"] for options in made[1::2]} == {1e30}


def test_rounded_reference_of_float32_is_the_dense_file(files: Files) -> None:
    dense = files.dense.read_bytes()
    rounded, _ = rounded_reference(files.sparse.read_bytes(), dense)
    x = np.ones((1, 13, 11, 16), np.float32)
    np.testing.assert_array_equal(run(rounded, x)[0], run(dense, x)[0])


def test_inputs_are_run_in_batches(files: Files) -> None:
    inputs = np.random.default_rng(2).standard_normal((5, 13, 11, 16))
    outcome = verify(files.sparse.read_bytes(), files.dense.read_bytes(), inputs=inputs, batch=2)
    assert outcome.ok
    expected = run(files.dense.read_bytes(), inputs.astype(np.float32))[0]
    assert outcome.outputs[0].magnitude == pytest.approx(np.abs(expected).max(), rel=1e-5)


@pytest.mark.parametrize(
    "inputs",
    [np.zeros((1, 13, 11, 15)), np.zeros((13, 11, 16)), np.zeros((0, 13, 11, 16)), np.zeros((1, 13, 11, 16), int)],
)
def test_inputs_that_do_not_fit_are_refused(files: Files, inputs: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"The inputs must be float32 of shape \[samples, 13, 11, 16\]; they are"):
        verify(files.sparse.read_bytes(), inputs=inputs)


def test_what_cancels_inside_is_judged_by_its_operands() -> None:
    """The mean of what has none, as in a LayerNorm: 1e-8 of its operands are left, and their rounding."""
    net = TfliteBuilder()
    y = net.conv(net.input((1, 16, 16, 16)), prunable(np.random.default_rng(0), (32, 3, 3, 16)), name="conv")
    centred = net.operator("SUB", [y, net.mean(y)], net.shape(y), schema.SubOptionsT(), name="centred")
    nothing = net.mean(centred, name="nothing")
    dense = net.build([net.add(y, nothing)])
    outcome = verify(mcpruner.convert(dense)[0], dense, all_layers=True, backend="cpu")
    errors = {error.name: error for error in outcome.layers}
    assert errors["nothing"].difference > 1e-4 * errors["nothing"].magnitude
    assert errors["nothing"].least_magnitude == 0.01 * errors["centred"].magnitude
    assert outcome.ok


@pytest.mark.parametrize("options", [{"num_threads": []}, {"num_threads": 0}, {"num_threads": (1, -1)}, {"batch": 0}])
def test_numbers_that_are_none_are_refused(files: Files, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="^Expected numbers of threads and a batch of at least 1, got"):
        verify(files.sparse.read_bytes(), **options)


def test_names_of_files_are_no_content(files: Files) -> None:
    with pytest.raises(ValueError, match="^Expected the content of a .tflite file as bytes, got str.$"):
        verify(files.sparse.read_bytes(), str(files.dense))


@pytest.mark.parametrize("name", ["dense", "sparse"])
def test_a_packed_file_is_nothing_to_compare_with(files: Files, name: str) -> None:
    with pytest.raises(ValueError, match="^The file to compare with has packed layers: give the dense file"):
        verify(getattr(files, name).read_bytes(), files.sparse.read_bytes())


def test_json_holds_the_outcome(files: Files) -> None:
    data = verify(files.sparse.read_bytes(), files.dense.read_bytes()).to_json()
    assert data["ok"] is True and data["largest_error"] == data["outputs"][0]["relative"]
    assert set(data["weights"][0]) == {"name", "value_type", "count", "different", "largest"}


def test_expose_adds_outputs() -> None:
    content = small_network()
    graph = read_model(content).subgraphs[0]
    conv1 = next(i for i, tensor in enumerate(graph.tensors) if tensor.name == b"conv1")
    outputs = run(expose(content, [conv1]), np.ones((1, 13, 11, 16), np.float32))
    assert [y.shape for y in outputs] == [(1, 10), (1, 7, 6, 32)]


@pytest.mark.parametrize("make", [small_network, lambda: densify(small_network())])
def test_extract_runs_one_operator_alone(make: Callable[[], bytes]) -> None:
    content = make()
    graph = read_model(content).subgraphs[0]
    number = {tensor.name.decode(): i for i, tensor in enumerate(graph.tensors)}
    x = np.random.default_rng(4).standard_normal((1, 13, 11, 16)).astype(np.float32)
    _, conv1, conv2 = run(expose(content, [number["conv1"], number["conv2"]]), x)
    (alone,) = run(extract(content, number["conv2"]), conv1)
    np.testing.assert_allclose(alone, conv2, rtol=0, atol=1e-5)
