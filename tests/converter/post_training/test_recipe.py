"""Post-training pruning: least squares by hand, masks by what removal costs, batch norms, and every refusal."""

import keras
import numpy as np
import pytest
from keras import layers

from mcpruner.converter.post_training.recipe import _patches, prune_post_training
from mcpruner.converter.post_training.reconstruct import Moments, Sums, reconstruct, removal_error
from mcpruner.converter.training.keras_kernel import kernel_values
from mcpruner.converter.training.prunable import kernel_to_ohwi
from mcpruner.converter.training.prune import prune

RNG = np.random.default_rng(0)


def moments_of(pruned: np.ndarray, dense: np.ndarray | None = None, centred: bool = False) -> Moments:
    """In two parts, as batches come."""
    dense = pruned if dense is None else dense
    sums = Sums(pruned.shape[1])
    sums.add(pruned[:70], dense[:70])
    sums.add(pruned[70:], dense[70:])
    return sums.moments(centred)


def correlated(rows: int, size: int) -> np.ndarray:
    return RNG.standard_normal((rows, size)) @ RNG.standard_normal((size, size)) + RNG.standard_normal(size)


@pytest.mark.parametrize("centred", [False, True])
def test_reconstruct_is_least_squares(centred, monkeypatch):
    """Of the pruned stream against the dense one's outputs, with a column of ones for the bias if there is one."""
    monkeypatch.setattr("mcpruner.converter.post_training.reconstruct._DAMPING", 0.0)
    dense = correlated(200, 12)
    pruned = dense + 0.3 * correlated(200, 12)
    weights = RNG.standard_normal((6, 12)).astype(np.float32)
    mask = np.repeat(RNG.random((2, 12)) < 0.5, 3, axis=0)
    moved, bias = reconstruct(weights, mask, moments_of(pruned, dense, centred))
    for filter_ in range(6):
        kept = mask[filter_]
        columns = np.column_stack([pruned[:, kept], np.full(200, float(centred))])
        expected = np.linalg.lstsq(columns, dense @ weights[filter_], rcond=None)[0]
        np.testing.assert_allclose(moved[filter_, kept], expected[:-1], rtol=1e-4, atol=1e-5)
        assert bias[filter_] == pytest.approx(expected[-1], abs=1e-4)
        assert (moved[filter_, ~kept] == 0).all()


def test_a_full_mask_on_equal_streams_changes_nothing():
    weights = RNG.standard_normal((4, 8)).astype(np.float32)
    moved, bias = reconstruct(weights, np.ones((4, 8), bool), moments_of(correlated(100, 8), centred=True))
    np.testing.assert_allclose(moved, weights, rtol=1e-5)
    np.testing.assert_allclose(bias, 0, atol=1e-5)


def test_removal_error_is_that_of_removing_one_weight():
    moments = moments_of(correlated(100, 5))
    weights = RNG.standard_normal((1, 5)).astype(np.float32)
    errors = removal_error(weights, moments)[0]
    for index in range(5):
        change = reconstruct(weights, np.arange(5)[None] != index, moments)[0][0] - weights[0]
        assert errors[index] == pytest.approx(change @ moments.pruned @ change, rel=1e-3)


def test_without_any_excitation():
    moments = moments_of(np.zeros((100, 3)))
    assert np.isfinite(removal_error(np.ones((1, 3)), moments)).all()
    assert np.isfinite(reconstruct(np.ones((2, 3)), np.eye(2, 3, dtype=bool), moments)[0]).all()


def cnn(image: int = 12) -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((image, image, 3)),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="stem"),
            layers.Conv2D(24, 3, strides=2, padding="same", use_bias=False, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.Conv2D(32, 1, name="point"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(16, name="hidden"),
            layers.Dense(5, name="fc"),
        ],
        name="cnn",
    )


def images(count: int = 120) -> np.ndarray:
    """Smooth, so that neighbours can make up for each other."""
    small = RNG.random((count, 4, 4, 3))
    return np.repeat(np.repeat(small, 3, axis=1), 3, axis=2).astype(np.float32)


@pytest.mark.parametrize(("padding", "strides", "dilation"), [("same", 2, 1), ("valid", 1, 1), ("valid", 1, 2)])
def test_patches_times_the_kernel_are_the_layer(padding, strides, dilation):
    layer = layers.Conv2D(4, 3, strides, padding, dilation_rate=dilation, use_bias=False)
    x = RNG.random((2, 9, 8, 5), np.float32)
    expected = keras.ops.convert_to_numpy(layer(x)).reshape(-1, 4)
    kernel = layer.get_weights()[0].reshape(-1, 4)
    np.testing.assert_allclose(_patches(layer, x) @ kernel, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (layers.SeparableConv2D(4, 3, 2, "same", depth_multiplier=2), (9, 8)),
        (layers.SeparableConv1D(4, 5), (9,)),
        (layers.Conv1D(4, 3, 2, "same"), (9,)),
        (layers.Conv1D(4, 3, padding="causal", dilation_rate=2), (9,)),
        (layers.EinsumDense("abcd,de->abce", (None, None, 4), bias_axes="e"), (9, 8)),
        (layers.Conv2DTranspose(4, 3, 2, "same"), (9, 8)),
        (layers.Conv2DTranspose(4, 2, 2, "same"), (9, 8)),
        (layers.Conv2DTranspose(4, 4, 2, "same"), (9, 8)),
        (layers.Conv2DTranspose(4, 3, 1, "same"), (1, 8)),
        (layers.Conv2DTranspose(4, 3, 2), (9, 8)),
        (layers.Conv2DTranspose(4, 2, 3), (5, 4)),
        (layers.Conv2DTranspose(4, 2, 3, "same"), (5, 4)),
        (layers.Conv2DTranspose(4, 3, 1, dilation_rate=2), (5, 4)),
    ],
)
def test_patches_of_other_kinds_times_the_kernel_are_the_layer(layer, size):
    x = RNG.random((2, *size, 5), np.float32)
    expected = keras.ops.convert_to_numpy(layer(x)).reshape(-1, 4)
    kernel = kernel_to_ohwi(kernel_values(layer)).reshape(4, -1).T
    np.testing.assert_allclose(_patches(layer, x) @ kernel, expected, rtol=1e-4, atol=1e-5)


def test_closer_to_the_dense_model_than_one_shot():
    model, x = cnn(), images()
    model.get_layer("norm").set_weights([*model.get_layer("norm").get_weights()[:2], np.zeros(24), np.ones(24)])
    pruned, one_shot = prune_post_training(model, x, density=0.4), prune(model, density=0.4)
    for name in ("conv", "point", "hidden"):
        kernel = pruned.get_layer(name).get_weights()[0]
        assert (kernel != 0).mean() == pytest.approx(0.4, abs=16 / kernel.size)
    readers = [keras.Model(m.inputs[0], m.get_layer("conv").output) for m in (model, pruned, one_shot)]
    dense, ours, theirs = (reader.predict(x, verbose=0) for reader in readers)
    assert np.square(ours - dense).mean() < 0.5 * np.square(theirs - dense).mean()


def test_batch_norms_get_the_statistics_of_the_pruned_model():
    data = images(100)
    pruned = prune_post_training(cnn(), data, density=0.3)
    norm = pruned.get_layer("norm")
    x = keras.Model(pruned.inputs[0], norm.input).predict(data, verbose=0)
    np.testing.assert_allclose(norm.get_weights()[2], x.mean(axis=(0, 1, 2)), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(norm.get_weights()[3], x.var(axis=(0, 1, 2)), rtol=1e-3, atol=1e-5)


def test_the_model_itself_and_what_is_not_pruned_stay():
    model = cnn()
    before = model.get_weights()
    pruned = prune_post_training(model, images(50), density=0.5, scope="conv")
    assert all((a == b).all() for a, b in zip(model.get_weights(), before, strict=True))
    for name in ("stem", "point", "hidden", "fc"):
        assert (pruned.get_layer(name).get_weights()[0] == model.get_layer(name).get_weights()[0]).all()


def test_density_one_keeps_the_weights():
    pruned = prune_post_training(cnn(), images(50), density=1.0)
    for name in ("conv", "point", "hidden"):
        assert (pruned.get_layer(name).get_weights()[0] == cnn().get_layer(name).get_weights()[0]).all()


def shared() -> keras.Model:
    inputs = keras.Input((8, 8, 8))
    conv = layers.Conv2D(8, 3, padding="same", name="conv")
    return keras.Model(inputs, conv(conv(inputs)), name="shared")


@pytest.mark.parametrize(
    ("model", "data", "options", "message"),
    [
        (
            cnn(),
            images(4)[:, :8],
            {"density": 0.5},
            r"^Expected calibration data of shape \[None, 12, 12, 3\], got \[4, 8",
        ),
        (cnn(), images(4) * 1j, {"density": 0.5}, "^Expected calibration data of real numbers, got complex"),
        (cnn(), np.array(["a"]), {"density": 0.5}, "^Expected calibration data of real numbers, got <U1.$"),
        (cnn(), images(4)[:0], {"density": 0.5}, r"^Expected calibration data of shape .* got \[0, 12, 12, 3\].$"),
        (
            cnn(),
            images(4) * np.nan,
            {"density": 0.5},
            "^Expected finite calibration data, got NaN or infinite",
        ),
        (cnn(), images(4), {}, "^Expected one of density and sparsity"),
        (cnn(), images(4), {"density": 0.9, "pattern_size": 4}, "^Layer 'conv': pattern_size 4 keeps at most 4 of 9"),
        (
            shared(),
            np.zeros((4, 8, 8, 8)),
            {"density": 0.5},
            "^Post-training pruning needs layers that are called on",
        ),
    ],
)
def test_bad_input(model, data, options, message):
    with pytest.raises(ValueError, match=message):
        prune_post_training(model, data, **options)
