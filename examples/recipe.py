"""What the recipes share: options, CIFAR-10, a small dense network, and what comes out of pruning it.

    dense network, trained here ──> a recipe ──> pruned Keras model ──> .tflite ──> accuracy, time

Each ``recipe_*.py`` beside this file is one way to prune. They run as they stand, and download CIFAR-10 through Keras;
``--data`` takes a packed file of JPEGs instead. Epochs are few, so that a laptop does it in minutes.
"""

import argparse
from pathlib import Path

import cifar10
import keras
import numpy as np
from keras import layers

import mcpruner
from mcpruner.compare import run
from mcpruner.converter.whole_file import write_file

TARGET = "x86-64"


class Task:
    """Options of the command line, the images, and training."""

    def __init__(self, description: str) -> None:
        parser = argparse.ArgumentParser(description=description.splitlines()[0])
        parser.add_argument("--data", type=Path, help="packed CIFAR-10 (cifar10_jpeg.npz) instead of a download")
        parser.add_argument("--images", type=int, default=50000, help="training images (default: all)")
        parser.add_argument("--epochs", type=int, default=8, help="dense, and again pruned (default: 8)")
        parser.add_argument("--density", type=float, default=0.25, help="share of weights kept (default: 0.25)")
        parser.add_argument("-o", "--output", type=Path, default=Path("pruned.tflite"), help="file to write")
        self.options = parser.parse_args()
        count = self.options.images
        if self.options.data:
            train, test = (cifar10.load(self.options.data, split, count) for split in ("train", "test"))
        else:
            train, test = cifar10.download()
        self.x, self.y = _scaled(train.images[:count]), train.labels[:count]
        self.test_x, self.test_y = _scaled(test.images[:count]), test.labels[:count]

    def fit(self, model: keras.Model, *callbacks: keras.callbacks.Callback) -> None:
        """Train with Adam and logits; the learning rate falls to 0."""
        steps = self.options.epochs * -(-len(self.x) // 128)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(
            keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)), loss, metrics=["accuracy"]
        )
        model.fit(self.x, self.y, batch_size=128, epochs=self.options.epochs, verbose=2, callbacks=[*callbacks])

    def dense(self) -> keras.Model:
        """A trained network without pruning."""
        model = network()
        self.fit(model)
        return model

    def finish(self, dense: keras.Model, pruned: keras.Model) -> None:
        """Convert, print accuracies and what each layer gains."""
        content, report = mcpruner.convert(pruned, target=TARGET)
        write_file(self.options.output, content)
        logits = run(mcpruner.Interpreter(model_content=content), [self.test_x])[0]
        print(report.table())
        print(f"dense   {self.accuracy(dense.predict(self.test_x, verbose=0)):.2%}")
        print(f"pruned  {self.accuracy(logits):.2%}, written to {self.options.output}")

    def accuracy(self, logits: np.ndarray) -> float:
        """Share of test images classified rightly."""
        return float((logits.argmax(axis=1) == self.test_y).mean())


def network() -> keras.Model:
    """Six convolutions and a classifier, 0.6 million parameters."""
    inputs = x = keras.Input((32, 32, 3), name="image")
    for stage, filters in enumerate((32, 64, 128), start=1):
        for i in (1, 2):
            stride = 2 if stage > 1 and i == 1 else 1
            x = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False, name=f"stage{stage}_conv{i}")(x)
            x = layers.ReLU(name=f"stage{stage}_relu{i}")(
                layers.BatchNormalization(momentum=0.9, name=f"stage{stage}_bn{i}")(x)
            )
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(10, name="classifier")(x), name="cifar_cnn")


def _scaled(images: np.ndarray) -> np.ndarray:
    """uint8 to float32 about 0."""
    return images.astype(np.float32) / 64 - 2
