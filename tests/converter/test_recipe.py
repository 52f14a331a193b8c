"""The recipe of docs/pruning.md runs as it stands, on a smaller network for fewer epochs."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

DOCS = Path(__file__).resolve().parents[2] / "docs" / "pruning.md"
RNG = np.random.default_rng(0)


class Batches(keras.utils.PyDataset):
    """Four batches, with the part of a `tf.data.Dataset` that the recipe uses."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(index)
        return rng.random((16, 8, 8, 4), np.float32), np.eye(3, dtype=np.float32)[rng.integers(0, 3, 16)]

    def take(self, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        return [self[i] for i in range(min(count, 4))]


def test_the_documented_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.search(r"## The whole recipe.*?```python\n(.*?)```", DOCS.read_text(), re.DOTALL).group(1)
    assert code.count("epochs, peak = 75, 0.15") == 1
    keras.utils.set_random_seed(1)
    convolutions = [layers.Conv2D(32, 3, name=f"conv{i}", use_bias=False) for i in (1, 2)]
    body = [x for conv in convolutions for x in (conv, layers.BatchNormalization(), layers.ReLU())]
    last = [layers.GlobalAveragePooling2D(), layers.Dense(3, name="classifier")]
    dense = keras.Sequential([keras.Input((8, 8, 4)), *body, *last])
    names = {"dense": dense, "batches": Batches()}
    exec(compile(code.replace("epochs, peak = 75", "epochs, peak = 5"), str(DOCS), "exec"), names)
    kernels = [names["pruned"].get_layer(f"conv{i}").get_weights()[0] for i in (1, 2)]
    pixels = (6 * 6, 4 * 4)
    kept = sum(np.count_nonzero(k) * n for k, n in zip(kernels, pixels, strict=True))
    assert kept / sum(k.size * n for k, n in zip(kernels, pixels, strict=True)) == pytest.approx(0.178, abs=0.01)
    assert sum(layer.density < 0.5 for layer in names["report"].layers) == 2
