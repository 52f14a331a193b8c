"""The whole path on two networks: ``make demo``.

1. A small CNN learns scikit-learn's digits (real data, bundled), is pruned while it trains on, is converted and runs
   through the plugin: accuracy before and after, file sizes, and the largest difference from Keras.
2. ResNet-18 at 224x224 with random weights, pruned to density 0.178, beside its dense self in the same runtime: one
   table with a row for each layer.

Files and the picture ``demo.png`` go to ``out/``. Takes a few minutes on two cores.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from layer_times import LayerTime, layer_times
from models import digits_cnn, rescale_filters, resnet18
from picture import draw

import mcpruner
from mcpruner.benchmark import benchmark
from mcpruner.cli.common import progress
from mcpruner.compare import run
from mcpruner.converter.source import load_source
from mcpruner.converter.whole_file import write_file
from mcpruner.text import table
from mcpruner.timing import rounds

TARGET = "x86-64"
DENSITY = 0.178


def say(text: str) -> None:
    """A step's headline, on stderr like all that is no result."""
    print(f"\n{text}", file=sys.stderr, flush=True)


def digits(out: Path) -> None:
    """Part 1: train, prune, convert, run, compare."""
    (train_x, train_y), (test_x, test_y) = load_digits()
    model = digits_cnn()
    say("1. Digits: training the dense network")
    fit(model, train_x, train_y, epochs=20)
    dense_accuracy = accuracy(model.predict(test_x, verbose=0), test_y)
    dense_file = load_source(model)

    say(f"   pruning it to density {DENSITY} while it trains on")
    epochs = 20
    callback = mcpruner.PruningCallback(TARGET, density=DENSITY, frequency=20)
    fit(model, train_x, train_y, epochs, callback)
    pruned = mcpruner.strip(model)
    content, report = mcpruner.convert(pruned, target=TARGET)
    write_file(out / "digits.tflite", content)

    interpreter = mcpruner.Interpreter(model_content=content)
    logits = run(interpreter, [test_x])[0]
    expected = pruned.predict(test_x, verbose=0)
    print(report.table())
    print(
        table(
            ["digits", "accuracy", "bytes"],
            [
                ["dense", f"{dense_accuracy:.1%}", len(dense_file)],
                [f"pruned, density {DENSITY}", f"{accuracy(logits, test_y):.1%}", len(content)],
            ],
        )
    )
    error = np.abs(logits - expected).max() / np.abs(expected).max()
    print(f"largest difference from the pruned Keras model: {error:.1e} of its largest logit")


def load_digits() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Training and test images, float32 [images, 8, 8, 1] in 0..1, and their labels."""
    from sklearn.datasets import load_digits as load
    from sklearn.model_selection import train_test_split

    images, labels = load(return_X_y=True)
    images = (images.reshape(-1, 8, 8, 1) / 16).astype(np.float32)
    train_x, test_x, train_y, test_y = train_test_split(images, labels, test_size=0.25, random_state=0, stratify=labels)
    return (train_x, train_y), (test_x, test_y)


def fit(model: keras.Model, x: np.ndarray, y: np.ndarray, epochs: int, *callbacks: keras.callbacks.Callback) -> None:
    """Train with Adam on a cosine schedule."""
    steps = epochs * -(-len(x) // 64)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    with progress(f"{epochs} epochs", epochs) as tick:
        epoch_end = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: tick())
        model.fit(x, y, batch_size=64, epochs=epochs, verbose=0, callbacks=[*callbacks, epoch_end])


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Share of the images whose largest logit is their label's."""
    return float(np.mean(logits.argmax(-1) == labels))


def resnet(out: Path, runs: int) -> tuple[bytes, list[LayerTime]]:
    """Part 2: prune in one shot, convert, check, time; the converted file and the time of each layer."""
    say(f"2. ResNet-18 at 224x224: pruning to density {DENSITY}")
    dense = resnet18()
    pruned = mcpruner.prune(dense, target=TARGET, density=DENSITY)
    rescale_filters(pruned, dense)
    say("   converting")
    with progress("converting"):
        dense_file = load_source(pruned)
        write_file(out / "resnet18_dense.tflite", dense_file)
        content, report = mcpruner.convert(out / "resnet18_dense.tflite", target=TARGET, values="float16")
        write_file(out / "resnet18.tflite", content)

    say("   checking, then timing in turns with the dense file in the same runtime without the plugin")
    with progress("timing", rounds(runs)) as tick:
        result = benchmark(content, dense_file, runs=runs, tick=tick)
    if not result["ok"]:
        raise SystemExit(f"The outputs differ by {result['largest_error']:.1e} of the largest logit: a bug.")
    with progress("timing each layer"):
        layers = layer_times(content, dense_file, report)
    print(table(LayerTime.HEADERS, [layer.row() for layer in layers]))
    (times,) = result["results"]
    print(
        table(
            ["resnet18, 1 thread", "median ms", "min ms", "bytes"],
            [
                ["dense", f"{times['against_median_ms']:.2f}", f"{times['against_min_ms']:.2f}", len(dense_file)],
                [
                    f"pruned, density {DENSITY}",
                    f"{times['median_ms']:.2f}",
                    f"{times['min_ms']:.2f}",
                    len(content),
                ],
            ],
        )
    )
    print(f"{times['speedup']:.2f} times faster, largest error {result['largest_error']:.1e} of the largest logit")
    print(f"{result['runtime']} on {result['machine']}")
    return content, layers


def main() -> None:
    """Run both parts and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for files and the picture (default: out)")
    parser.add_argument("--runs", type=int, default=20, help="timed runs of ResNet-18 (default: 20)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    digits(args.out)
    content, layers = resnet(args.out, args.runs)
    draw(content, layers, args.out / "demo.png")
    print(f"picture: {args.out / 'demo.png'}")


if __name__ == "__main__":
    main()
