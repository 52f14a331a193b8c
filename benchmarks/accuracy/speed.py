"""Speed, size and accuracy of the very networks that `pairs.py` pruned: one file each, checked, scored and timed.

    python benchmarks/accuracy/speed.py out/accuracy/resnet18_cifar_0.178_any_decay_3.weights.h5 ...

`pairs.py` keeps the students of seed 0 in its work folder (``.weights.h5``, or compressed as ``.weights.h5.gz``). Each
is converted as a user would do it, its file is scored on all test images by the plugin, and it is timed in turns with
what the same file computes without packing, in the same runtime without the plugin. Needs TensorFlow, no GPU. The
records go into ``results/speed.json``; `rows.py` prints their rows.
"""

import argparse
import gzip
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import keras
import networks
import numpy as np
from cifar10 import Images, load
from pairs import HERE, ROOT, read, write

import mcpruner
from mcpruner.benchmark import benchmark
from mcpruner.converter.tflite.densify import densify

MEAN, DEVIATION = np.float32([125.3, 123.0, 113.9]), np.float32([63.0, 62.1, 66.7])
TARGET = "x86-64"


def main() -> None:
    """Measure each file of weights."""
    options = parse()
    test = load(options.data / "cifar10_jpeg.npz", "test", None)
    path = options.results / "speed.json"
    for weights in options.weights:
        record = measure(weights, options.data, test, options.runs)
        print(json.dumps(record), flush=True)
        write(path, [*(r for r in read(path) if student(r) != student(record)), record])


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, nargs="+", help="what pairs.py kept of pruned networks")
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data", help="folder of cifar10_jpeg.npz")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--runs", type=int, default=60)
    return parser.parse_args()


def student(record: dict[str, Any]) -> tuple:
    """What was measured."""
    return record["network"], record["multiply_adds"], record["masks"], record["removed"]


def measure(weights: Path, data: Path, test: Images, runs: int) -> dict[str, Any]:
    """Record of one pruned network."""
    words = weights.name.split(".weights")[0].rsplit("_", 4)
    network, share, masks, removed, _ = words
    content, _ = mcpruner.convert(pruned(network, weights, data), target=TARGET)
    halves, _ = mcpruner.convert(pruned(network, weights, data), target=TARGET, values="float16")
    found = benchmark(content, runs=runs, threads=(1, 2))
    return {
        "network": network,
        "multiply_adds": float(share),
        "masks": masks,
        "removed": removed,
        "accuracy": accuracy(content, test),
        "bytes": len(content),
        "bytes_float16": len(halves),
        "bytes_dense": len(densify(content)),
        **found,
    }


def pruned(network: str, weights: Path, data: Path) -> keras.Model:
    """The network with the weights of a file, float32."""
    model = networks.network(network, 0, data)
    with tempfile.TemporaryDirectory() as folder:
        plain = weights
        if weights.suffix == ".gz":
            plain = Path(folder) / weights.stem
            with gzip.open(weights) as packed, plain.open("wb") as file:
                shutil.copyfileobj(packed, file)
        model.load_weights(plain)
    return model


def accuracy(content: bytes, test: Images) -> float:
    """Share of the test images that the file gets right in the plugin."""
    interpreter = mcpruner.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    given, wanted = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    right = 0
    for image, label in zip(test.images, test.labels, strict=True):
        interpreter.set_tensor(given, ((image.astype(np.float32) - MEAN) / DEVIATION)[None])
        interpreter.invoke()
        right += int(interpreter.get_tensor(wanted).argmax() == label)
    return right / len(test.labels)


if __name__ == "__main__":
    main()
