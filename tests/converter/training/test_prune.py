"""One call prunes a Keras model: densities, zeros, what stays untouched, and every refusal."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from small_cnn import small_cnn

from mcpruner.converter.training.prune import prune, strip


def cnn(**dense_options) -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(16, 3, name="stem"),
            layers.BatchNormalization(),
            layers.Conv2D(32, 3, name="conv"),
            layers.DepthwiseConv2D(3, padding="same", name="depthwise"),
            layers.Conv2D(24, 1, name="point"),
            layers.Flatten(),
            layers.Dense(20, name="hidden", **dense_options),
            layers.Dense(10, name="fc"),
        ],
        name="cnn",
    )


def kernel(model: keras.Model, name: str) -> np.ndarray:
    return model.get_layer(name).get_weights()[0]


def density(model: keras.Model, name: str) -> float:
    return float((kernel(model, name) != 0).mean())


def ohwi(model: keras.Model, name: str) -> np.ndarray:
    return kernel(model, name).transpose(3, 0, 1, 2)


def test_a_model_that_was_written_as_hdf5_can_be_pruned(tmp_path: Path) -> None:
    """Keras takes the optimizer out of what `compile` was given when it writes such a file."""
    model = small_cnn()
    model.compile("sgd", "mse")
    model.save(tmp_path / "model.h5")
    assert isinstance(prune(model, density=0.5).optimizer, keras.optimizers.SGD)
    assert isinstance(strip(model).optimizer, keras.optimizers.SGD)


def test_densities_and_what_stays():
    dense = cnn()
    before = [w.copy() for w in dense.get_weights()]
    pruned = prune(dense, "generic", density=0.178)
    assert round(0.178 * 4608 / 16) * 16 == np.count_nonzero(kernel(pruned, "conv"))
    assert round(0.178 * 768 / 4) * 4 == np.count_nonzero(kernel(pruned, "point"))
    assert round(0.178 * kernel(dense, "hidden").size / 4) * 4 == np.count_nonzero(kernel(pruned, "hidden"))
    for name in ("stem", "depthwise", "fc"):
        assert (kernel(pruned, name) == kernel(dense, name)).all()
    for old, new in zip(before, dense.get_weights(), strict=True):
        assert (old == new).all()


def test_kept_weights_are_unchanged_and_zeros_positive():
    dense = cnn()
    pruned = prune(dense, density=0.25)
    for name in ("conv", "point", "hidden"):
        old, new = kernel(dense, name), kernel(pruned, name)
        assert (old[new != 0] == new[new != 0]).all()
        assert not np.signbit(new[new == 0]).any()


def test_is_a_new_plain_model():
    dense = cnn()
    pruned = prune(dense, density=0.5)
    assert pruned is not dense
    assert type(pruned) is type(dense)
    assert [layer.name for layer in pruned.layers] == [layer.name for layer in dense.layers]
    assert pruned.predict(np.zeros((2, 8, 8, 3), np.float32), verbose=0).shape == (2, 10)


def test_sparsity_is_one_minus_density():
    a, b = prune(cnn(), density=0.25), prune(cnn(), sparsity=0.75)
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        assert (x == y).all()


def test_density_one_changes_nothing():
    dense = cnn()
    for x, y in zip(dense.get_weights(), prune(dense, density=1.0).get_weights(), strict=True):
        assert (x == y).all()


def test_density_by_glob_and_scope():
    pruned = prune(cnn(), density={"hidden": 0.1, "*": 0.25})
    assert density(pruned, "hidden") == pytest.approx(0.1, abs=4 / 7680)
    assert density(pruned, "conv") == pytest.approx(0.25, abs=16 / 4608)
    scoped = prune(cnn(), density=0.25, scope=["conv"])
    assert density(scoped, "conv") == pytest.approx(0.25, abs=16 / 4608)
    assert density(scoped, "point") == density(scoped, "hidden") == 1.0


@pytest.mark.parametrize(("share", "size"), [(0.178, 4), (0.5, 5), (0.7, 7), (0.95, 9)])
def test_pattern_size_follows_the_density(share, size):
    mask = ohwi(prune(cnn(), density=share), "conv") != 0
    assert set(np.unique(mask.sum(axis=(1, 2)))) <= {0, size}
    assert len({tuple(p) for p in mask.transpose(0, 3, 1, 2).reshape(-1, 9) if p.any()}) <= 8


def test_pattern_size_and_count_by_hand():
    mask = ohwi(prune(cnn(), density=0.1, pattern_size=2, num_patterns=3), "conv") != 0
    assert set(np.unique(mask.sum(axis=(1, 2)))) == {0, 2}
    assert len({tuple(p) for p in mask.transpose(0, 3, 1, 2).reshape(-1, 9) if p.any()}) <= 3


def test_balance():
    mask = ohwi(prune(cnn(), density=0.178, balance=True), "conv") != 0
    assert set(mask.any(axis=(1, 2)).sum(axis=1)) == {round(0.178 * 9 / 4 * 16)}


def test_shared_layer_and_nested_model():
    keras.utils.set_random_seed(2)
    shared = layers.Conv2D(8, 3, padding="same", name="shared")
    body = keras.Sequential([keras.Input((8, 8, 8)), layers.Conv2D(8, 3, padding="same", name="inner")], name="body")
    inputs = keras.Input((8, 8, 8))
    dense = keras.Model(inputs, layers.GlobalAveragePooling2D()(body(shared(shared(inputs)))))
    pruned = prune(dense, density=0.25)
    assert density(pruned, "shared") == pytest.approx(0.25, abs=16 / 576)
    assert density(pruned.get_layer("body"), "inner") == pytest.approx(0.25, abs=16 / 576)
    assert len(pruned.weights) == len(dense.weights)


def test_sequential_built_by_its_first_call():
    model = keras.Sequential([layers.Conv2D(8, 3, name="conv"), layers.Flatten()])
    model(np.zeros((1, 6, 6, 4), np.float32))
    assert density(prune(model, density=0.25), "conv") == pytest.approx(0.25, abs=16 / 288)


@keras.saving.register_keras_serializable("mcpruner_tests")
class Subclassed(keras.Model):
    def __init__(self, width: int = 8, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.conv, self.fc = layers.Conv2D(width, 3, name="conv"), layers.Dense(3, name="fc")

    def call(self, x):
        return self.fc(keras.ops.mean(self.conv(x), axis=(1, 2)))

    def get_config(self):
        return {**super().get_config(), "width": self.width}


def test_subclassed_model():
    x = np.random.default_rng(3).random((2, 8, 8, 4), np.float32)
    model = Subclassed(12)
    model(x)
    pruned = prune(model, density=0.25)
    assert isinstance(pruned, Subclassed)
    assert (pruned.conv.get_weights()[0] != 0).mean() == pytest.approx(0.25, abs=16 / 432)
    assert (model.conv.get_weights()[0] != 0).all()
    assert np.asarray(pruned(x)).shape == (2, 3)


def test_strip_keeps_zeros_and_drops_training():
    pruned = prune(cnn(), density=0.25)
    pruned.compile("adam", "mse")
    once = strip(pruned)
    twice = strip(once)
    assert once is not pruned
    assert once.optimizer is not pruned.optimizer
    for a, b, c in zip(pruned.get_weights(), once.get_weights(), twice.get_weights(), strict=True):
        assert (a == b).all()
        assert (b == c).all()


def test_saved_and_loaded_without_mcpruner(tmp_path):
    pruned = prune(cnn(), density=0.25)
    pruned.save(tmp_path / "pruned.keras")
    loaded = keras.models.load_model(tmp_path / "pruned.keras", safe_mode=True)
    assert density(loaded, "conv") == density(pruned, "conv")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_weights_are_refused_by_name(value):
    model = cnn()
    weights = kernel(model, "conv")
    weights[1, 1, 2, 3] = value
    model.get_layer("conv").kernel.assign(weights)
    with pytest.raises(ValueError, match="^Weight '.*conv/kernel' of model 'cnn' holds NaN or infinite values.$"):
        prune(model, density=0.25)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "^Expected one of density and sparsity"),
        ({"density": 0.5, "sparsity": 0.5}, "^Expected one of density and sparsity"),
        ({"density": 0}, "^Expected a density above 0 and at most 1, got 0.$"),
        ({"density": float("nan")}, "^Expected a density above 0 and at most 1, got nan.$"),
        ({"density": 0.5, "target": "arm"}, "^Unknown target 'arm'"),
        (
            {"density": {"nothing*": 0.5}},
            r"^The glob 'nothing\*' of density matches no layer; the prunable layers are conv",
        ),
        (
            {"density": {"fc": 0.5}},
            r"^The glob 'fc' of density matches only layers that are not pruned: fc \(the class",
        ),
        ({"density": 0.5, "scope": ["stem"]}, "^The glob 'stem' of scope matches only .* stem .reads only 3 input"),
        (
            {"density": 0.5, "pattern_size": 4},
            "^Layer 'conv': pattern_size 4 keeps at most 4 of 9 weights, got density 0.5",
        ),
        ({"density": 0.5, "pattern_size": 0}, "^Expected a pattern_size of 1 to 9 positions .* got 0.$"),
        ({"density": 0.5, "pattern_size": "big"}, "^Expected a pattern_size of 1 to 9 positions .* got 'big'.$"),
        ({"density": 0.5, "pattern_size": None}, "^Expected a pattern_size of 1 to 9 positions .* got None.$"),
        ({"density": 0.5, "scope": 5}, "^Expected scope as a glob or several, got 5.$"),
        ({"density": 0.5, "scope": [5]}, "^Expected globs of scope as text, got 5.$"),
        ({"density": {1: 0.5}}, "^Expected globs of density as text, got 1.$"),
        ({"density": 0.5, "saliency": 5}, "^Expected saliency as a mapping of labels to arrays, got 5.$"),
        (
            {"density": 0.5, "saliency": {"conv": [1.0]}},
            "^Layer 'conv': expected a saliency as a NumPy array, got list.$",
        ),
        ({"density": 0.5, "num_patterns": 0}, "^Expected num_patterns as an integer of at least 1, got 0.$"),
        ({"density": 0.5, "num_patterns": 2.5}, "^Expected num_patterns as an integer of at least 1, got 2.5.$"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        prune(cnn(), **options)


def test_nothing_to_prune_says_why_per_kind():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(8, 3, name="stem"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, name="fc"),
        ],
        name="small",
    )
    message = (
        "^Nothing to prune in model 'small': stem: reads only 3 input channels; depthwise: a depthwise convolution; "
        "fc: the classifier.$"
    )
    with pytest.raises(ValueError, match=message):
        prune(model, density=0.5)


def test_model_without_convolutions():
    model = keras.Sequential([keras.Input((4,)), layers.BatchNormalization()], name="norm")
    with pytest.raises(ValueError, match="^Nothing to prune in model 'norm': it has no Conv2D and no Dense layer.$"):
        prune(model, density=0.5)
