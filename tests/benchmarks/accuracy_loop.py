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
            networks.OnePassNorm(name="norm"),
            layers.ReLU(),
            layers.Conv2D(16, 3, name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, name="classifier"),
        ]
    )
    networks.start_again(model, seed=1)
    model.get_layer("norm").momentum = 0.0
    return model


def main() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 256).astype(np.int32)
    colours = rng.integers(0, 256, (10, 1, 1, 3))
    images = np.clip(colours[labels] + rng.normal(0, 10, (256, 32, 32, 3)), 0, 255).astype(np.uint8)
    data = cifar.Images(images, labels)
    shared = loop.Loop(network(), data, 32)
    run = loop.Run(epochs=10, learning_rate=0.1, seed=1)
    dense, again = loop.masked_copy(network()), loop.masked_copy(network())
    before = shared.score(dense, data)
    for model in (dense, again):
        shared.train([model], None, run, [None])
        pairs.reestimate_batch_norm(model, shared.augmented(2, 0))
    students = [pairs.BASELINE, *map(pairs.Student.parse, ("0.2", "0.2:unstructured:frozen"))]
    models = [loop.masked_copy(dense) for _ in students]
    start = models[1].get_layer("conv").get_weights()[0]
    pruners = [pairs.make_pruner(*each, shared.steps(run), shared.chunk) for each in zip(models, students, strict=True)]
    shared.train(models, dense, run, pruners)
    for model in models:
        pairs.reestimate_batch_norm(model, shared.augmented(2, 0))
    longer, pruned, single = models
    kernel = pairs.strip(pruned).get_layer("conv").get_weights()[0]
    found = {
        "before": before.accuracy,
        "dense": shared.score(dense, data)._asdict(),
        "longer": shared.score(longer, data).accuracy,
        "same": all((a == b).all() for a, b in zip(dense.get_weights(), again.get_weights(), strict=True)),
        "pruned": shared.score(pruned, data)._asdict(),
        "density": float((kernel != 0).mean()),
        "unstructured": float((pairs.strip(single).get_layer("conv").get_weights()[0] != 0).mean()),
        "moved": bool((kernel[kernel != 0] != start[kernel != 0]).all()),
        "shares": pairs.shares(pruners[1]),
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
