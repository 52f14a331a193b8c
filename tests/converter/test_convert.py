"""`convert` as a whole: lossless, repeatable, smaller files, and one sentence for every bad input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from mutation import mutate
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.convert import convert
from mcpruner.converter.tflite import rewrite as tflite_rewrite
from mcpruner.converter.tflite.checked_schema import schema
from mcpruner.converter.tflite.densify import densify

pytestmark = pytest.mark.usefixtures("free_calls")

MUTATIONS = 1000
RNG = np.random.default_rng(11)


def unstructured(*shape: int, density: float = 0.2) -> np.ndarray:
    return (RNG.standard_normal(shape) * (RNG.random(shape) < density)).astype(np.float32)


def small_net(sparse: bool = True) -> bytes:
    """Pad, two convolutions, a residual, mean and a dense layer."""
    density = 0.2 if sparse else 1.0
    net = TfliteBuilder()
    x = net.conv(net.input((1, 12, 12, 4)), unstructured(16, 3, 3, 4, density=density), name="stem")
    y = net.conv(net.pad(x, (1, 1, 1, 1)), unstructured(16, 3, 3, 16, density=density), padding="VALID", name="conv")
    y = net.conv(net.relu(net.add(x, y)), unstructured(8, 1, 1, 16, density=density), activation="RELU6", name="head")
    return net.build([net.fully_connected(net.mean(y), unstructured(5, 8, density=1.0), name="logits")])


def test_unstructured_zeros_convert_losslessly() -> None:
    dense = small_net()
    content, report = convert(dense)
    assert report.bytes_before == len(dense) and report.bytes_after == len(content) < len(dense)
    assert [layer.name for layer in report.layers] == ["stem", "conv", "head", "logits"]
    assert all(layer.reason for layer in report.layers) and report.num_accelerated >= 2
    x = RNG.standard_normal((3, 12, 12, 4)).astype(np.float32)
    np.testing.assert_allclose(run(densify(content), x)[0], run(dense, x)[0], atol=1e-4)


@pytest.mark.parametrize("values", ["float32", "float16", "int8"])
def test_a_converted_file_converts_again_unchanged(values: str) -> None:
    content, first = convert(small_net(), values=values)
    again, second = convert(content, values=values)
    assert again == content
    for before, after in zip(first.layers, second.layers, strict=True):
        assert (after.accelerated, after.shape) == (before.accelerated, before.shape)
        assert values == "int8" or after.density == before.density  # int8 rounds small weights to zero
        assert (after.group_size, after.num_patterns) == (before.group_size, before.num_patterns)
        speedup = before.predicted_speedup if values != "int8" else pytest.approx(before.predicted_speedup, rel=0.01)
        assert not before.accelerated or after.predicted_speedup == speedup
        assert not after.accelerated or after.reason.startswith("sparse: packed by an earlier conversion")


def test_the_same_model_gives_the_same_bytes() -> None:
    dense = small_net()
    assert convert(dense)[0] == convert(dense)[0]


def test_a_model_with_no_convolution_stays_as_it_is() -> None:
    net = TfliteBuilder()
    dense = net.build([net.relu(net.input((1, 4)))])
    content, report = convert(dense)
    assert content == dense and report.layers == []
    assert report.summary == "The model has no convolution and no dense layer, so nothing was packed."


def test_a_dense_model_stays_as_it_is() -> None:
    dense = small_net(sparse=False)
    content, report = convert(dense)
    assert content == dense and {layer.reason for layer in report.layers} == {"dense: it has no zeros"}
    assert report.summary == (
        "None of 4 layers was packed: all weights are as they were. They have hardly any zeros: prune the model first, "
        "with `mcpruner prune` or `mcpruner.prune`."
    )


def test_files_shrink_with_the_weights() -> None:
    """Density 0.178 in float16, filters of a group alike: below an eighth of the dense file without gzip."""
    mask = np.repeat(RNG.random((64, 3, 3, 256)) < 0.178, 4, axis=0)
    net = TfliteBuilder()
    weights = (RNG.standard_normal(mask.shape) * mask).astype(np.float32)
    dense = net.build([net.conv(net.input((1, 14, 14, 256)), weights)])
    content, _ = convert(dense, values="float16")
    assert len(content) < len(dense) / 8


def test_layers_are_stored_as_the_source_has_them() -> None:
    """A float16 file whose layers became float32 could be larger than before."""
    weights = unstructured(32, 3, 3, 16)
    for halves in (True, False):
        net = TfliteBuilder()
        given = net.dequantize(net.constant(weights.astype(np.float16))) if halves else weights
        content, report = convert(dense := net.build([net.conv(net.input((1, 12, 12, 16)), given)]))
        (layer,) = report.layers
        assert (report.values, layer.accelerated, len(content) < len(dense)) == ("source", True, True)
        assert content == convert(dense, values="float16" if halves else "float32")[0]


@pytest.mark.parametrize("argument", [{"target": "gpu"}, {"values": "bfloat16"}])
def test_unknown_arguments_list_the_known_ones(argument: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="(Unknown target 'gpu'|Unknown value type 'bfloat16').*(generic|float16)"):
        convert(small_net(), **argument)


def _nan(net: TfliteBuilder, x: int) -> None:
    weights = unstructured(8, 3, 3, 4)
    weights[3, 1, 1, 2] = np.nan
    net.conv(x, weights, name="conv")


def _infinite_bias(net: TfliteBuilder, x: int) -> None:
    net.conv(x, unstructured(8, 3, 3, 4), np.full(8, np.inf, np.float32), name="conv")


def _weights_of_rank_three(net: TfliteBuilder, x: int) -> None:
    net.conv(x, unstructured(8, 3, 3, 4), name="conv")
    net.graph.tensors[net.graph.operators[-1].inputs[1]].shape = [8, 9, 4]


def _short_bias(net: TfliteBuilder, x: int) -> None:
    net.conv(x, unstructured(8, 3, 3, 4), np.zeros(7, np.float32), name="conv")


def _no_stride(net: TfliteBuilder, x: int) -> None:
    net.conv(x, unstructured(8, 3, 3, 4), name="conv")
    net.graph.operators[-1].builtinOptions.strideH = 0


def _no_options(net: TfliteBuilder, x: int) -> None:
    net.conv(x, unstructured(8, 3, 3, 4), name="conv")
    net.graph.operators[-1].builtinOptions, net.graph.operators[-1].builtinOptionsType = None, 0


def _no_weights(net: TfliteBuilder, x: int) -> None:
    net.operator("CONV_2D", [x], (1, 8, 8, 8), name="conv")


def _strange_padding(net: TfliteBuilder, x: int) -> None:
    net.conv(x, unstructured(8, 3, 3, 4), name="conv")
    net.graph.operators[-1].builtinOptions.padding = 5


@pytest.mark.parametrize(
    "add, sentence",
    [
        (_nan, "Layer conv has weights with NaN or infinite values; train or export the model again."),
        (_infinite_bias, "Layer conv has a bias with NaN or infinite values; train or export the model again."),
        (_weights_of_rank_three, r"Layer conv needs weights of rank 4, got shape \[8, 9, 4\]."),
        (_short_bias, "Layer conv has 8 filters and a bias of 7 values."),
        (_no_stride, r"Layer conv has strides and dilations \[0, 1, 1, 1\]; each must be at least 1."),
        (_no_options, "Layer conv is a CONV_2D without Conv2DOptions; the file is damaged."),
        (_no_weights, r"The .tflite file is damaged \(operator 0 of subgraph 0, a CONV_2D, lacks one of its 2 inputs"),
        (_strange_padding, r"Layer conv has padding 5; expected 0 \(SAME\) or 1 \(VALID\)."),
    ],
)
def test_bad_layers_are_refused_by_name(add: Callable[[TfliteBuilder, int], None], sentence: str) -> None:
    net = TfliteBuilder()
    add(net, net.input((1, 8, 8, 4)))
    with pytest.raises(ValueError, match=f"^{sentence}"):
        convert(net.build([net.graph.operators[-1].outputs[0]]))


def test_a_damaged_blob_is_refused_by_name() -> None:
    content, _ = convert(small_net())
    damaged = content.replace(b"MCP1", b"MCP9")
    with pytest.raises(ValueError, match="^Layer (stem|conv): "):
        convert(damaged)


def test_a_blob_that_reads_back_differently_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflite_rewrite, "unpack", lambda layer: np.zeros(1, np.float32))
    with pytest.raises(RuntimeError, match="^Layer stem does not survive packing; please report this with the model.$"):
        convert(small_net())


@pytest.mark.parametrize("converted", [False, True], ids=["dense", "converted"])
def test_random_mutations_give_a_sentence_or_a_model(converted: bool) -> None:
    content = convert(small_net())[0] if converted else small_net()
    rng = np.random.default_rng(12)
    refused = 0
    for _ in range(MUTATIONS):
        try:
            result, report = convert(mutate(content, rng))
            assert result[4:8] == b"TFL3" and all(layer.reason for layer in report.layers)
        except ValueError as error:
            refused += 1
            assert str(error) and "\n" not in str(error)
    assert 0 < refused < MUTATIONS


def test_custom_options_of_other_operators_survive() -> None:
    net = TfliteBuilder()
    y = net.conv(net.input((1, 8, 8, 8)), unstructured(16, 3, 3, 8))
    net.model.operatorCodes.append(
        schema.OperatorCodeT(builtinCode=schema.BuiltinOperator.CUSTOM, deprecatedBuiltinCode=32, customCode=b"Theirs")
    )
    out = net.tensor((1, 8, 8, 16), "theirs")
    op = schema.OperatorT(opcodeIndex=len(net.model.operatorCodes) - 1, inputs=[y], outputs=[out])
    op.customOptions = np.arange(7, dtype=np.uint8)
    net.graph.operators.append(op)
    content, report = convert(net.build([out]))
    assert report.num_accelerated == 1
    from mcpruner.converter.tflite.model import operator_name, read_model

    model = read_model(content)
    theirs = model.subgraphs[0].operators[1]
    assert operator_name(model, theirs) == "Theirs" and list(theirs.customOptions) == list(range(7))
