"""Speed, size and accuracy of the very networks that `pairs.py` pruned: one file each, checked, scored and timed.

    export PYTHONPATH=examples:tests
    python benchmarks/accuracy/speed.py out/accuracy/resnet18_cifar_0.178_any_decay_3.weights.h5 ...

`pairs.py` keeps the students of seed 0 in its work folder (``.weights.h5``, or compressed as ``.weights.h5.gz``). Each
is converted as a user would do it, its file is scored on all test images by the plugin, and it is timed in turns with
what the same file computes without packing, in the same runtime without the plugin. Needs TensorFlow and JAX,
no GPU. The records go into ``results/speed.json``; `rows.py` prints their rows.
"""

import argparse
import gzip
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import cifar
import keras
import networks
import numpy as np
from cifar10 import Images, load
from pairs import HERE, ROOT, read, write

import mcpruner
from mcpruner.benchmark import benchmark
from mcpruner.converter.tflite.densify import densify

# As pairs.py names what it keeps: network, share, masks, removed weights, how many trainings went one after the other.
NAME = re.compile(r"(\w+?)_([\d.]+)_([a-z]+)_([a-z_]+)_(\d+)\.weights\.h5(\.gz)?")
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
    return tuple(record[name] for name in ("network", "multiply_adds", "masks", "removed", "trainings"))


def measure(weights: Path, data: Path, test: Images, runs: int) -> dict[str, Any]:
    """Record of one pruned network."""
    named = NAME.fullmatch(weights.name)
    if named is None:
        raise SystemExit(
            f"Expected a file that pairs.py kept, such as NETWORK_0.178_any_decay_3.weights.h5, got {weights}."
        )
    network, share, masks, removed, trainings, _ = named.groups()
    model = pruned(network, weights, data)
    content, _ = mcpruner.convert(model, target=TARGET)
    halves, _ = mcpruner.convert(model, target=TARGET, values="float16")
    dense = densify(content)
    found = benchmark(content, dense, runs=runs, threads=(1, 2))
    return {
        "network": network,
        "multiply_adds": float(share),
        "masks": masks,
        "removed": removed,
        "trainings": int(trainings),
        "accuracy": accuracy(content, test),
        "bytes": len(content),
        "bytes_float16": len(halves),
        "bytes_dense": len(dense),
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
    for image, label in zip(np.asarray(cifar.normalise(test.images)), test.labels, strict=True):
        interpreter.set_tensor(given, image[None])
        interpreter.invoke()
        right += int(interpreter.get_tensor(wanted).argmax() == label)
    return right / len(test.labels)


if __name__ == "__main__":
    main()
