"""A tfmot script with two lines changed: masks are ours, the rest is tfmot's."""

import numpy as np
import pytest

tfmot = pytest.importorskip("tensorflow_model_optimization", reason="needs tensorflow_model_optimization")

import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402
from tf_keras import layers  # noqa: E402

from mcpruner.converter.convert import convert  # noqa: E402
from mcpruner.converter.options import PruningOptions  # noqa: E402
from mcpruner.converter.training.kernel_mask import choose_kernel_mask  # noqa: E402
from mcpruner.converter.training.tfmot import AlignedPruning, PruneAligned  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.random((64, 8, 8, 3), np.float32)
Y = RNG.integers(0, 3, 64)


def cnn() -> tf_keras.Model:
    tf_keras.utils.set_random_seed(1)
    return tf_keras.Sequential(
        [
            tf_keras.Input((8, 8, 3)),
            layers.Conv2D(16, 3, name="stem"),
            layers.BatchNormalization(name="norm"),
            layers.Conv2D(32, 3, name="conv"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.Conv2D(16, 1, name="point"),
            layers.Flatten(name="flatten"),
            layers.Dense(12, name="hidden"),
            layers.Dense(3, activation="softmax", name="fc"),
        ]
    )


def schedule(sparsity: float = 0.75) -> object:
    return tfmot.sparsity.keras.PolynomialDecay(0.0, sparsity, begin_step=0, end_step=8, frequency=2)


@pytest.fixture(scope="module")
def pruned() -> tf_keras.Model:
    """What a tfmot script does from here to its end."""
    model = AlignedPruning("hikey970-cpu")(cnn(), pruning_schedule=schedule())
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, Y, 16, 4, verbose=0, callbacks=[tfmot.sparsity.keras.UpdatePruningStep()])
    return tfmot.sparsity.keras.strip_pruning(model)


def kernel(model: tf_keras.Model, name: str) -> np.ndarray:
    return model.get_layer(name).get_weights()[0]


def test_a_tfmot_script(pruned: tf_keras.Model):
    for name in ("conv", "point", "hidden"):
        weights = kernel(pruned, name)
        assert (weights != 0).mean() == pytest.approx(0.25, abs=16.01 / weights.size)
    for name in ("stem", "fc"):
        assert (kernel(pruned, name) != 0).all()
    assert [layer.name for layer in pruned.layers] == [layer.name for layer in cnn().layers]


def test_models_inside_models():
    """All layers but the last one with weights, wherever it is."""
    body = tf_keras.Sequential([tf_keras.Input((6, 6, 8)), layers.Conv2D(16, 3, name="conv")], name="body")
    around = tf_keras.Sequential([tf_keras.Input((6, 6, 8)), body, layers.ReLU()], name="around")
    top = tf_keras.Sequential([tf_keras.Input((256,)), layers.Dense(16, name="hidden"), layers.Dense(3, name="fc")])
    model = tf_keras.Sequential([tf_keras.Input((8, 8, 3)), layers.Conv2D(8, 3), around, layers.Flatten(), top])
    model = AlignedPruning()(model, pruning_schedule=schedule())
    model.compile("adam", tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, Y, 16, 4, verbose=0, callbacks=[tfmot.sparsity.keras.UpdatePruningStep()])
    plain = tfmot.sparsity.keras.strip_pruning(model)
    np.testing.assert_array_equal(plain.predict(X, verbose=0), model.predict(X, verbose=0))
    inner = {layer.name: layer for part in (plain.layers[1].layers[0], plain.layers[3]) for layer in part.layers}
    kept = {name: float((layer.get_weights()[0] != 0).mean()) for name, layer in inner.items()}
    assert kept == {"conv": 0.25, "hidden": 0.25, "fc": 1.0}


def test_masks_are_aligned(pruned: tf_keras.Model):
    """At most 8 patterns of 4 positions, shared by the filters of a group."""
    mask = kernel(pruned, "conv") != 0
    sizes = mask.sum(axis=(0, 1))
    assert set(np.unique(sizes)) == {0, 4}
    assert len({tuple(pattern) for pattern in mask.reshape(9, -1).T if pattern.any()}) <= 8
    filters, counts = np.unique(mask.reshape(-1, mask.shape[-1]).T, axis=0, return_counts=True)
    assert len(filters) <= 8
    assert (counts % 4 == 0).all()


def test_the_mask_is_that_of_prune():
    """The last mask is chosen from the weights that stand then; kept ones are untouched by it."""
    model = AlignedPruning("generic", num_patterns=4)(cnn(), schedule(0.8))
    wrapper = next(layer for layer in model.layers if layer.name.endswith("_conv"))
    weights = wrapper.layer.kernel.numpy()
    wrapper.pruning_step.assign(8)
    _, mask = wrapper.pruning_obj._update_mask(wrapper.layer.kernel)
    expected = choose_kernel_mask(PruningOptions(density=1.0, num_patterns=4), weights, 0.2)
    np.testing.assert_array_equal(mask.numpy(), expected)


def one_layer(sparsity: float = 0.5, end_step: int = 8) -> tuple[tf_keras.Model, PruneAligned]:
    """A model of a wrapped Dense and a classifier, trained by plain gradient descent, half of it removed."""
    tf_keras.utils.set_random_seed(2)
    model = tf_keras.Sequential([tf_keras.Input((8,)), layers.Dense(8, name="d"), layers.Dense(3, name="fc")])
    steps = tfmot.sparsity.keras.ConstantSparsity(sparsity, 0, end_step, frequency=100)
    model = AlignedPruning()(model, steps)
    model.compile(tf_keras.optimizers.legacy.SGD(0.1), tf_keras.losses.SparseCategoricalCrossentropy(True))
    wrapper = model.layers[0]
    mask = np.repeat(np.array([[1.0, 0.0] * 4], np.float32).T, 8, axis=1)
    wrapper.pruning_vars[0][1].assign(mask)
    return model, wrapper


def batch() -> tuple[np.ndarray, np.ndarray]:
    return X[:, 0, 0, :1].repeat(8, axis=1) + X.reshape(64, -1)[:, :8], Y


def gradient(model: tf_keras.Model, wrapper: PruneAligned, kernel: np.ndarray) -> np.ndarray:
    """Of the loss by the kernel that the layer uses, by a plain model of these weights."""
    plain = tf_keras.Sequential([tf_keras.Input((8,)), layers.Dense(8), layers.Dense(3)])
    plain.set_weights([kernel, wrapper.layer.bias.numpy(), *model.layers[1].get_weights()])
    with tf.GradientTape() as tape:
        loss = tf_keras.losses.SparseCategoricalCrossentropy(True)(batch()[1], plain(batch()[0]))
    return tape.gradient(loss, plain.layers[0].kernel).numpy()


@pytest.mark.parametrize("step", [1, 8], ids=["before the end", "after it"])
def test_removed_weights_learn_and_decay_until_the_end(step):
    """One step of gradient descent moves them by straight-through gradient and decay; after the end they rest."""
    model, wrapper = one_layer()
    wrapper.pruning_step.assign(step)
    dense, mask = wrapper.layer.kernel.numpy(), wrapper.pruning_vars[0][1].numpy()
    expected = gradient(model, wrapper, dense * mask)
    expected = np.where(mask, expected, (expected + 2e-3 * dense) * (step < 8))
    loss = model.train_on_batch(*batch())
    np.testing.assert_allclose(wrapper.layer.kernel.numpy(), dense - 0.1 * expected, rtol=1e-4, atol=1e-6)
    assert loss == pytest.approx(float(model.compiled_loss._losses[0](batch()[1], model(batch()[0]))), rel=0.1)


def test_the_end_of_an_epoch_leaves_zeros_and_forgets_nothing():
    model, wrapper = one_layer()
    wrapper.pruning_step.assign(1)
    dense, mask = wrapper.layer.kernel.numpy(), wrapper.pruning_vars[0][1].numpy()
    before = model(batch()[0]).numpy()
    wrapper.pruning_obj.weight_mask_op()
    np.testing.assert_array_equal(wrapper.layer.kernel.numpy(), dense * mask)
    np.testing.assert_array_equal(wrapper.held.numpy(), dense * (1 - mask))
    np.testing.assert_array_equal(model(batch()[0]).numpy(), before)
    wrapper.pruning_vars[0][1].assign(np.ones_like(mask))  # all come back, at their own size
    wrapper.pruning_obj.weight_mask_op()
    np.testing.assert_array_equal(wrapper.layer.kernel.numpy(), dense)
    stripped = tfmot.sparsity.keras.strip_pruning(model)
    assert [w.name for w in stripped.layers[0].weights] == [w.name for w in layers_of_plain()[0].weights]


def layers_of_plain() -> list[layers.Layer]:
    return tf_keras.Sequential([tf_keras.Input((8,)), layers.Dense(8, name="d"), layers.Dense(3, name="fc")]).layers


def test_converts_without_loss(pruned: tf_keras.Model):
    """Densities that the report gives are those of the trained model."""
    _, report = convert(pruned, target="hikey970-cpu")
    found = sorted(layer.density for layer in report.layers if layer.op == "CONV_2D")
    expected = sorted(float((kernel(pruned, name) != 0).mean()) for name in ("stem", "conv", "point"))
    assert found == pytest.approx(expected)


def test_a_wrapped_layer_survives_its_configuration():
    knobs = {"target": "generic", "pattern_size": 3, "num_patterns": 5, "balance": True}
    wrapper = PruneAligned(layers.Dense(8, name="d"), schedule(), **knobs)
    assert knobs.items() <= wrapper.get_config().items()
    with tfmot.sparsity.keras.prune_scope():
        again = PruneAligned.from_config(wrapper.get_config())
    assert again.get_config() == wrapper.get_config()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"target": "arm"}, "^Unknown target 'arm'"), ({"num_patterns": 0}, "^Expected num_patterns as an integer of at")],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        AlignedPruning(**options)


def test_bad_models():
    with pytest.raises(
        ValueError, match="^Expected a built functional or sequential tf_keras model: give it an Input.$"
    ):
        AlignedPruning()(tf_keras.Sequential([layers.Dense(3)]), schedule())
    import keras

    with pytest.raises(ValueError, match="^Expected a tf_keras model, got 'three' of Keras 3: prune it with mcpruner."):
        AlignedPruning()(keras.Sequential([keras.layers.Dense(3)], name="three"), schedule())
    small = tf_keras.Sequential([tf_keras.Input((4,)), layers.Dense(3)], name="small")
    with pytest.raises(ValueError, match="^Nothing to prune in model 'small': it has no Conv2D with more than 3 input"):
        AlignedPruning()(small, schedule())


def test_functions_for_keras_3_say_which_to_use():
    import mcpruner

    model = cnn()
    calls = [
        lambda: mcpruner.prune(model, density=0.5),
        lambda: mcpruner.strip(model),
        lambda: mcpruner.allocate(model, density=0.5),
        lambda: mcpruner.prune_post_training(model, X, density=0.5),
        lambda: mcpruner.measure_sensitivity(model, X),
        lambda: mcpruner.first_order_saliency(model, [], "mse"),
        lambda: mcpruner.prune_with_teacher(model),
        lambda: mcpruner.PruningCallback(density=0.5).set_model(model),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="^Expected a Keras 3 model, got 'sequential.*' of tf_keras: prune it wi"):
            call()
