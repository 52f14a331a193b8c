"""Run by `test_accuracy` in a process of its own, since it needs Keras on JAX: prints what it found as JSON."""

import json

import cifar
import keras
import loop
import networks
import numpy as np
import pairs
from keras import layers


def network() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(8, 3, strides=4, name="stem"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.Conv2D(16, 3, name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, name="classifier"),
        ]
    )
    networks.start_again(model, seed=1)
    model.get_layer("norm").momentum = 0.9
    return model


def main() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 256).astype(np.int32)
    colours = rng.integers(0, 256, (10, 1, 1, 3))
    images = np.clip(colours[labels] + rng.normal(0, 10, (256, 32, 32, 3)), 0, 255).astype(np.uint8)
    data = cifar.Images(images, labels)
    run = loop.Run(epochs=10, batch_size=32, learning_rate=0.1, seed=1)
    dense, again = network(), network()
    before = loop.accuracy(dense, data, 64)
    loop.train([dense], None, data, run, [None])
    loop.train([again], None, data, run, [None])
    pruned, single = pairs.strip(dense), pairs.strip(dense)
    start = pruned.get_layer("conv").get_weights()[0]
    students = [pairs.Student(0.2, "uniform"), pairs.Student(0.2, "uniform", "unstructured")]
    models = [pruned, single]
    pruners = [pairs.make_pruner(*each, run, len(images)) for each in zip(models, students, strict=True)]
    pruner = pruners[0]
    loop.train(models, dense, data, run, pruners)
    kernel = pairs.strip(pruned).get_layer("conv").get_weights()[0]
    found = {
        "before": before,
        "dense": loop.accuracy(dense, data, 64),
        "same": all((a == b).all() for a, b in zip(dense.get_weights(), again.get_weights(), strict=True)),
        "pruned": loop.accuracy(pairs.strip(pruned), data, 64),
        "density": float((kernel != 0).mean()),
        "unstructured": float((pairs.strip(single).get_layer("conv").get_weights()[0] != 0).mean()),
        "moved": bool((kernel[kernel != 0] != start[kernel != 0]).all()),
        "shares": pairs.shares(pruner),
        "shifted": sorted({tuple(map(int, image[0, 0])) for image in augmented()}),
    }
    print(json.dumps(found))


def augmented() -> np.ndarray:
    """An image whose pixel values are their own coordinates, 64 times, shifted and mirrored."""
    rows, columns = np.mgrid[:32, :32]
    image = np.stack([rows, columns, 0 * rows], axis=2).astype(np.uint8)
    return np.asarray(cifar.augment(cifar.jax.random.key(0), np.repeat(image[None], 64, axis=0)))


if __name__ == "__main__":
    main()
