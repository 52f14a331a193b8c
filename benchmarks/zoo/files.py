"""Make the files of one network of the zoo: ``python benchmarks/zoo/files.py NETWORK FOLDER``.

The network is pruned in one shot, its filters get their norms back, its batch norms are estimated again, so that
activations are of a trained network's size, and it is converted. The folder gets the pruned
network as an ordinary ``.tflite``, the converted one, and what the converter says of it.
Nothing is timed here, and TensorFlow, which this takes, is not in the process that is timed.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from workloads import ROOT, TARGET, fingerprint

from mcpruner.converter.whole_file import write_file

DENSITY = 0.25
IMAGES = 8  # that batch norms are estimated on
OPEN_SIZE = 64  # of those images, where a network takes any


def stem(network: str) -> str:
    """What the names of a network's files begin with; another one for other sources."""
    return f"{network}_{fingerprint([Path(__file__), *sorted((ROOT / 'examples').rglob('*.py'))])}"


def make(network: str, folder: Path) -> dict[str, Any]:
    """Write both files of a network, and return what the converter says of it."""
    from models import rescale_filters
    from zoo import ZOO

    import mcpruner
    from mcpruner.converter.source import load_source

    model = ZOO[network].build()
    pruned = mcpruner.prune(model, TARGET, density=DENSITY)
    rescale_filters(pruned, model)
    images = random_images(pruned, ZOO[network].pixels)
    mcpruner.reestimate_batch_norm(pruned, [images if len(images) > 1 else images[0]])
    dense = load_source(pruned)
    converted, report = mcpruner.convert(dense, target=TARGET)
    write_file(folder / f"{stem(network)}_dense.tflite", dense)
    write_file(folder / f"{stem(network)}.tflite", converted)
    return {
        "shape": ZOO[network].shape,
        "pixels": ZOO[network].pixels,
        "density": DENSITY,
        "bytes_dense": len(dense),
        "bytes": len(converted),
        "layers": len(report.layers),
        "packed": report.num_accelerated,
        "predicted": report.predicted_speedup,
    }


def random_images(model: Any, pixels: bool) -> list[np.ndarray]:
    """A batch for each input of a Keras model, in the range that `verify` and the timing use."""
    rng = np.random.default_rng(0)
    shapes = [(IMAGES, *(size or OPEN_SIZE for size in each.shape[1:])) for each in model.inputs]
    dtypes = [np.dtype(each.dtype) for each in model.inputs]
    draws = [
        rng.standard_normal(shape) if dtype.kind == "f" and not pixels else rng.integers(0, 255, shape, endpoint=True)
        for shape, dtype in zip(shapes, dtypes, strict=True)
    ]
    return [draw.astype(dtype) for draw, dtype in zip(draws, dtypes, strict=True)]


def main() -> None:
    """Make them; what cannot be pruned or converted is a reason in the place of the facts."""
    network, folder = sys.argv[1], Path(sys.argv[2])
    try:
        facts = make(network, folder)
    except ValueError as error:  # as mcpruner refuses a model
        facts = {"reason": str(error)}
    write_file(folder / f"{stem(network)}.json", json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
