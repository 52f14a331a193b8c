"""Scripts that name modules by their places before `converter` had rooms still find them."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from mcpruner.converter import mask, old_paths, post_training
from mcpruner.converter.mask.mask import choose_mask, magnitude_saliency
from mcpruner.converter.post_training.recipe import prune_post_training
from mcpruner.converter.training.masked_layers import Masked, mask_layer

ROOT = Path(__file__).resolve().parents[2]
NEEDS = {"plot": "matplotlib", "tfmot": "tensorflow_model_optimization"}


@pytest.mark.parametrize("old", sorted(old_paths.MOVED))
def test_old_name_is_the_module_of_the_new_name(old: str) -> None:
    if old in NEEDS:
        pytest.importorskip(NEEDS[old], reason=f"needs {NEEDS[old]}")
    new = importlib.import_module(f"mcpruner.converter.{old_paths.MOVED[old]}")
    assert importlib.import_module(f"mcpruner.converter.{old}") is new
    assert new.__name__ == new.__spec__.name == f"mcpruner.converter.{old_paths.MOVED[old]}"


def test_old_modules_with_the_names_of_rooms() -> None:
    assert (mask.choose_mask, mask.magnitude_saliency) == (choose_mask, magnitude_saliency)
    assert post_training.prune_post_training is prune_post_training


@pytest.mark.parametrize(
    "code",
    [
        "from mcpruner.converter.tflite_model import read_model; import mcpruner.converter.tflite.model as new; "
        "assert new.read_model is read_model",
        "import mcpruner.converter.cost_model; from mcpruner.converter.cost import cost_model; "
        "assert mcpruner.converter.cost_model is cost_model",
        "from mcpruner.converter import layer as old; from mcpruner.converter.format import layer; assert old is layer",
        "import importlib.util, sys; assert importlib.util.find_spec('mcpruner.converter.prune').name; "
        "assert not {'keras', 'numpy'} & set(sys.modules)",
    ],
)
def test_ways_to_import_in_a_fresh_process(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def test_masked_layer_that_was_written_under_its_old_path() -> None:
    layer = keras.layers.Conv2D(4, 3)
    layer.build((None, 8, 8, 4))
    mask_layer(layer)
    written = keras.saving.serialize_keras_object(layer)
    assert (written["module"], written["registered_name"]) == (Masked.__module__, "mcpruner>Masked")
    written["module"] = "mcpruner.converter.masked"
    assert isinstance(keras.saving.deserialize_keras_object(written), Masked)


def test_what_is_gone_is_said_to_be_missing() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'mcpruner\.converter\.absent'"):
        importlib.import_module("mcpruner.converter.absent")


def test_install_twice_is_once() -> None:
    old_paths.install()
    assert sum(isinstance(finder, old_paths.OldPaths) for finder in sys.meta_path) == 1


def test_documents_name_files_that_exist() -> None:
    documents = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        ROOT / "format/README.md",
        ROOT / "format/sparse_pattern.fbs",
    ]
    named = {
        name for document in documents for name in re.findall(r"\bconverter/[\w/]+(?:\.py|/)", document.read_text())
    }
    assert "converter/format/serialize.py" in named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
