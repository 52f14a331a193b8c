"""A masked model that was written is read in a process that has masked nothing yet, as after a training was stopped."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from mcpruner.converter.training.masked_layers import get_mask, mask_layer, masked_layers, set_mask

READ = """
import pickle, sys
import numpy as np
folder, name = sys.argv[1:]
load = lambda path: KERAS.models.load_model(path, compile=False)
model = pickle.load(open(folder + "/" + name, "rb")) if name.endswith("pickle") else load(folder + "/" + name)
from mcpruner.converter.training.masked_layers import effective_kernel
np.save(folder + "/read.npy", effective_kernel(model.layers[0]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a model whose first layer is masked, and `kernel.npy`, what its kernel is in use."""
    folder = tmp_path_factory.mktemp("masked")
    model = keras.Sequential([keras.Input((6, 6, 4)), keras.layers.Conv2D(8, 3), keras.layers.Flatten()])
    (layer,) = model.layers[:1]
    mask_layer(layer)
    set_mask(layer, np.random.default_rng(0).random((3, 3, 4, 8)) < 0.25, learns=False)
    assert masked_layers(model) == [layer]
    for suffix in ("keras", "h5"):
        model.save(folder / f"model.{suffix}")
    (folder / "model.pickle").write_bytes(pickle.dumps(model))
    np.save(folder / "kernel.npy", np.where(get_mask(layer), keras.ops.convert_to_numpy(layer.kernel), 0))
    return folder


@pytest.mark.parametrize(
    ("imports", "name", "backend"),
    [
        ("import mcpruner; import keras; KERAS = keras", "model.keras", "numpy"),
        ("import keras; import mcpruner; KERAS = keras", "model.keras", "numpy"),
        ("import mcpruner; import keras; KERAS = keras", "model.h5", "numpy"),
        ("import mcpruner", "model.pickle", "numpy"),
        ("import mcpruner.converter.masked; import keras; KERAS = keras", "model.keras", "numpy"),
        ("import mcpruner; import tensorflow; KERAS = tensorflow.keras", "model.keras", "tensorflow"),
    ],
)
def test_a_fresh_process_reads_it(folder: Path, imports: str, name: str, backend: str) -> None:
    environment = {**os.environ, "KERAS_BACKEND": backend}
    environment.pop("TF_USE_LEGACY_KERAS", None)  # tfmot sets it where a test imports it, for tf.keras to be tf_keras
    command = [sys.executable, "-c", imports + READ, str(folder), name]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    np.testing.assert_array_equal(np.load(folder / "read.npy"), np.load(folder / "kernel.npy"))


def test_keras_is_found_once_and_left_alone() -> None:
    code = (
        "import sys, mcpruner; from mcpruner.keras_files import _BehindKeras as Finder\n"
        "assert sum(isinstance(f, Finder) for f in sys.meta_path) == 1 and 'keras' not in sys.modules\n"
        "import importlib.util; assert importlib.util.find_spec('keras').origin.endswith('__init__.py')\n"
        "import keras; assert not any(isinstance(f, Finder) for f in sys.meta_path)\n"
        "assert 'mcpruner>Masked' in keras.saving.get_custom_objects()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "KERAS_BACKEND": "numpy"})
