"""Which layers are pruned: kinds, the classifier in every shape of model, nested and shared layers."""

import keras
import numpy as np
import pytest
from keras import layers

from mcpruner.converter.training.prunable import find_layers, kernel_from_ohwi, kernel_to_ohwi

GAP = layers.GlobalAveragePooling2D


def functional(*stack, shape=(8, 8, 4)) -> keras.Model:
    inputs = x = keras.Input(shape)
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x)


def prunable(model: keras.Model) -> list[str]:
    return list(find_layers(model)[0])


def test_kinds_and_reasons():
    model = functional(
        layers.Conv2D(4, 1, name="conv"),
        layers.DepthwiseConv2D(3, name="depthwise"),
        layers.Conv2D(8, 1, groups=2, name="grouped"),
        layers.Conv2D(16, 1, groups=8, name="of_one_channel"),
        layers.Conv2D(12, 3, groups=4, name="wide"),
        layers.SeparableConv2D(8, 3, name="separable"),
        layers.Conv2DTranspose(8, 3, name="transposed"),
        layers.Conv2D(4, 9, padding="same", name="huge"),
        layers.BatchNormalization(),
        layers.Flatten(),
        layers.Reshape((-1, 4)),
        layers.Conv1D(4, 3, name="line"),
        layers.Flatten(),
        layers.Dense(5, name="dense"),
        layers.BatchNormalization(),
    )
    found, left_out = find_layers(model)
    assert list(found) == ["conv", "wide", "separable", "transposed", "line", "dense"]
    assert left_out == {
        "depthwise": "a depthwise convolution",
        "grouped": "reads only 2 input channels in each group",
        "of_one_channel": "a depthwise convolution",
        "huge": "a kernel of more than 64 positions",
    }


@pytest.mark.parametrize(
    ("equation", "shape", "found"),
    [
        ("abcd,de->abce", (None, None, 6), True),
        ("...d,de->...e", 6, True),
        ("abcd,ed->abce", (None, None, 6), False),  # The kernel has filters first.
        ("abcd,cde->abe", (None, 6), False),
        ("abcd,def->abcef", (None, None, 2, 3), False),
        ("abcd,ce->abed", (8, 6, 4), False),
    ],
)
def test_an_einsum_is_pruned_where_it_is_a_pointwise_convolution(equation, shape, found):
    model = functional(layers.EinsumDense(equation, shape, name="einsum"), layers.BatchNormalization())
    assert prunable(model) == ["einsum"] * found
    reason = f"an einsum {equation!r}, which is no 1x1 convolution"
    assert find_layers(model)[1] == ({} if found else {"einsum": reason})


def test_projections_of_recurrent_layers_and_attention_stay():
    inputs = keras.Input((6, 8))
    x = layers.MultiHeadAttention(2, 4, name="attention")(inputs, inputs)
    model = keras.Model(inputs, layers.BatchNormalization()(layers.LSTM(4, name="lstm")(x)))
    found, left_out = find_layers(model)
    assert not found
    projections = {f"attention/{part}" for part in ("query", "key", "value", "attention_output")}
    assert set(left_out) == {*projections, "lstm/lstm_cell"}
    assert left_out["lstm/lstm_cell"] == "the projections of a recurrent layer"
    assert all("no 1x1 convolution" in left_out[label] for label in projections)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.SeparableConv2D(8, 3), (8, 8, 3)),
        (layers.Conv2DTranspose(8, 3), (8, 8, 3)),
        (layers.Conv1D(8, 3), (8, 3)),
        (layers.SeparableConv1D(8, 3), (8, 3)),
    ],
)
def test_few_channels(layer, shape):
    model = functional(layer, layers.BatchNormalization(), shape=shape)
    assert find_layers(model) == ({}, {layer.name: "reads only 3 input channels"})


@pytest.mark.parametrize(("channels", "found"), [(1, []), (3, []), (4, ["conv"])])
def test_first_layer(channels, found):
    model = functional(layers.Conv2D(4, 3, name="conv"), GAP(), shape=(8, 8, channels))
    assert prunable(model) == found
    assert find_layers(model)[1] == ({} if found else {"conv": f"reads only {channels} input channels"})


@pytest.mark.parametrize(
    "tail",
    [
        [GAP(), layers.Dense(3, name="last")],
        [GAP(), layers.Dense(3, name="last", activation="softmax")],
        [GAP(), layers.Dense(3, name="last"), layers.Softmax()],
        [GAP(), layers.Dense(3, name="last"), layers.Activation("sigmoid"), layers.Reshape((3, 1))],
        [layers.Conv2D(3, 1, name="last"), GAP(), layers.Softmax()],
        [layers.Conv2D(3, 1, name="last"), layers.AveragePooling2D(6), layers.Flatten(), keras.ops.softmax],
    ],
)
def test_classifier_is_left(tail):
    model = functional(layers.Conv2D(8, 3, name="conv"), *tail)
    assert prunable(model) == ["conv"]
    assert find_layers(model)[1] == {"last": "the classifier"}


@pytest.mark.parametrize(
    "tail",
    [
        [layers.Conv2D(3, 3, name="last"), GAP()],
        [layers.Conv2D(3, 1, name="last"), layers.BatchNormalization(), layers.ReLU(), GAP()],
        [GAP(), layers.Dense(3, name="last"), layers.Rescaling(2.0)],
    ],
)
def test_what_is_no_classifier(tail):
    assert prunable(functional(layers.Conv2D(8, 3, name="conv"), *tail)) == ["conv", "last"]


def test_two_heads():
    inputs = keras.Input((8, 8, 4))
    x = GAP()(layers.Conv2D(8, 3, name="conv")(inputs))
    hidden = layers.Dense(8, name="hidden")(x)
    model = keras.Model(inputs, [layers.Dense(2, name="a")(x), layers.Dense(1, name="b")(hidden)])
    assert prunable(model) == ["conv", "hidden"]


def test_nested_models():
    body = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(8, 3, name="conv"), GAP()], name="body")
    head = keras.Sequential(
        [keras.Input((8,)), layers.Dense(6, name="conv"), layers.Dense(3, name="fc"), layers.Softmax()], name="head"
    )
    inputs = keras.Input((8, 8, 4))
    model = keras.Model(inputs, head(body(inputs)))
    found, left_out = find_layers(model)
    assert list(found) == ["body/conv", "head/conv"]
    assert left_out == {"head/fc": "the classifier"}


def test_classifier_before_a_nested_tail():
    tail = keras.Sequential([keras.Input((3,)), layers.Softmax()], name="tail")
    model = functional(layers.Conv2D(8, 3, name="conv"), GAP(), layers.Dense(3, name="fc"), tail)
    assert prunable(model) == ["conv"]


def test_second_input_of_a_nested_model():
    a, b = keras.Input((4,)), keras.Input((4,))
    second = keras.Model([a, b], layers.Softmax()(b), name="second")
    inputs = keras.Input((4,))
    left = layers.Dense(4, name="left")(inputs)
    model = keras.Model(inputs, second([left, layers.Dense(4, name="right")(inputs)]))
    assert prunable(model) == ["left"]


def test_shared_layer_once():
    inputs = keras.Input((8, 8, 4))
    shared = layers.Conv2D(4, 3, padding="same", name="shared")
    model = keras.Model(inputs, GAP()(shared(shared(inputs))))
    assert prunable(model) == ["shared"]


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.steps = [layers.Conv2D(4, 3, padding="same", name="first"), layers.BatchNormalization(name="norm")]

    def call(self, x):
        for step in self.steps:
            x = step(x)
        return x


class Subclassed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.block = Block(name="block")
        self.fc = layers.Dense(3, name="fc")

    def call(self, x):
        return self.fc(keras.ops.mean(self.block(x), axis=(1, 2)))


def test_subclassed_model():
    model = Subclassed()
    model(np.zeros((1, 8, 8, 4), np.float32))
    assert prunable(model) == ["block/first"]
    assert find_layers(model)[1] == {"fc": "the classifier"}


def test_custom_layer_in_a_functional_model():
    assert prunable(functional(Block(name="block"), GAP())) == ["block/first"]


def test_model_without_weights():
    model = keras.Sequential([layers.Conv2D(4, 3)], name="fresh")
    with pytest.raises(ValueError, match="^Model 'fresh' has no weights yet: call it once, or give it an Input.$"):
        find_layers(model)


class Twins(keras.Model):
    """Equal names in one model, one name that looks like a label, and a layer that is never called."""

    def __init__(self):
        super().__init__()
        self.convolutions = [layers.Conv2D(4, 1, name=name) for name in ("conv", "conv", "conv#1")]
        self.spare = layers.Conv2D(4, 1, name="spare")
        self.fc = layers.Dense(3, name="fc")

    def call(self, x):
        for layer in self.convolutions:
            x = layer(x)
        return self.fc(keras.ops.mean(x, axis=(1, 2)))


def test_labels_are_unique():
    model = Twins()
    model(np.zeros((1, 8, 8, 4), np.float32))
    found, left_out = find_layers(model)
    assert list(found) == ["conv#2", "conv#3", "conv#1"]
    assert list(found.values()) == model.convolutions
    assert left_out == {"spare": "never called", "fc": "the classifier"}


class Standardised(layers.Conv2D):
    @property
    def kernel(self):
        return super().kernel - keras.ops.mean(super().kernel)


def test_a_kernel_of_its_own():
    model = functional(Standardised(4, 3, name="own"), layers.Conv2D(4, 3, name="conv"), GAP())
    assert prunable(model) == ["conv"]
    assert find_layers(model)[1] == {"own": "its class has a kernel of its own"}


def test_a_quantized_model():
    model = functional(layers.Flatten(), layers.Dense(4, name="first"), layers.Dense(4, name="last"))
    model.quantize("int8")
    assert find_layers(model) == ({}, {"first": "quantized to int8: prune before quantizing", "last": "the classifier"})


@pytest.mark.parametrize("thing", [None, "model.keras", keras.layers.Dense(3)])
def test_no_model(thing):
    with pytest.raises(ValueError, match=f"^Expected a Keras 3 model, got an object of type {type(thing).__name__}.$"):
        find_layers(thing)


def test_kernel_order():
    kernel = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    weights = kernel_to_ohwi(kernel)
    assert weights.shape == (5, 2, 3, 4)
    assert weights[4, 1, 2, 3] == kernel[1, 2, 3, 4]
    assert (kernel_from_ohwi(weights, 4) == kernel).all()
    dense = kernel[0, 0]
    assert kernel_to_ohwi(dense).shape == (5, 1, 1, 4)
    assert (kernel_from_ohwi(kernel_to_ohwi(dense), 2) == dense).all()
