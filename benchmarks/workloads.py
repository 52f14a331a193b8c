"""What is measured: the networks as ``.tflite`` files, dense and converted, and the bars that they are held to."""

import functools
import hashlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mcpruner.converter.whole_file import write_file

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples"))

OUT = Path("out/benchmarks")
UNSTRUCTURED = "resnet18_unstructured"
CHOICES = (
    "resnet18",
    "vgg16",
    "resnet50",
    "mobilenet_v1",
    "mobilenet_v2",
    "vgg16_cifar",
    "resnet18_cifar",
    UNSTRUCTURED,
)
TARGET = "x86-64"

_DENSITY = {"resnet50": 0.2, "mobilenet_v1": 0.2, "mobilenet_v2": 0.2, UNSTRUCTURED: 0.1}
# At the network's own density, one thread: times the dense model in LiteRT, times the fastest dense engine.
_BARS = {
    "resnet18": (4.0, 2.4),
    "vgg16": (5.0, 2.5),
    "resnet50": (3.5, 2.0),
    "mobilenet_v1": (2.2, None),
    "mobilenet_v2": (1.8, None),
    "vgg16_cifar": (3.3, 2.2),
    "resnet18_cifar": (3.3, 2.2),
    UNSTRUCTURED: (2.0, None),
}


@dataclass(frozen=True)
class Files:
    """The same network twice."""

    dense: Path
    converted: Path


def default_density(name: str) -> float:
    """Share of weights that a network keeps where nothing else is asked for."""
    return _DENSITY.get(name, 0.178)


def litert_bar(name: str, density: float, backend: str) -> float | None:
    """How many times as fast as LiteRT's dense kernels a network must be on one thread; None where no bar is set."""
    mobile = name.startswith("mobilenet")
    if density == default_density(name):
        return _BARS[name][0]
    if name == UNSTRUCTURED:
        return None
    if density == 0.5:
        return 1.2 if mobile else 1.5
    if density == 1:
        return 0.97 if backend == "auto" else 0.85 if mobile else 0.95
    return None


def engine_bar(name: str) -> float | None:
    """How many times as fast as the fastest dense engine a network at its default density must be on one thread."""
    return _BARS[name][1]


def export(name: str, density: float, values: str, folder: Path = OUT) -> Files:
    """Make a network's files, or take those that the same sources made before.

    Parameters
    ----------
    name
        One of `CHOICES`.
    density
        Share of weights kept, the same in all prunable layers; 1 leaves the network as it is.
    values
        How the converted file stores weights.
    folder
        For the files, which exists.
    """
    stem = f"{name}_{density:g}_{_fingerprint()}"
    files = Files(folder / f"{stem}_dense.tflite", folder / f"{stem}_{TARGET}_{values}.tflite")
    if not files.dense.exists():
        write_file(files.dense, _dense(name, density))
    if not files.converted.exists():
        import mcpruner

        write_file(files.converted, mcpruner.convert(files.dense, target=TARGET, values=values)[0])
    return files


@functools.cache
def _fingerprint() -> str:
    return fingerprint([Path(__file__), ROOT / "examples/models.py"])


def fingerprint(sources: Iterable[Path]) -> str:
    """Of every source that decides what is in the files: those of the networks, and the converter."""
    digest = hashlib.sha256()
    converter = (path for path in (ROOT / "converter").rglob("*") if path.suffix in (".py", ".json"))
    for path in [*sources, *sorted(converter)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _dense(name: str, density: float) -> bytes:
    """The masked network as an ordinary ``.tflite``."""
    from models import NETWORKS, rescale_filters

    import mcpruner
    from mcpruner.converter.source import load_source

    model = NETWORKS[name.removesuffix("_unstructured")]()
    if density == 1:
        return load_source(model)
    pruned = _unstructured(model, density) if name == UNSTRUCTURED else mcpruner.prune(model, TARGET, density=density)
    rescale_filters(pruned, model)
    return load_source(pruned)


def _unstructured(model: "keras.Model", density: float) -> "keras.Model":  # noqa: F821
    """A copy that keeps the largest weights of each layer wherever they are, as other tools prune."""
    import keras
    import numpy as np

    pruned = keras.models.clone_model(model)
    pruned.set_weights(model.get_weights())
    for layer in pruned.layers:
        if hasattr(layer, "kernel"):
            kernel = np.array(layer.kernel)
            layer.kernel.assign(kernel * (abs(kernel) >= np.quantile(abs(kernel), 1 - density)))
    return pruned
