"""Run by `test_distributed` in processes of its own: prunes under a strategy and prints a digest of masks and weights.

Call it as ``python distributed_training.py mirrored`` or, with TF_CONFIG set, ``... workers``.
"""

import hashlib
import json
import sys

import keras
import numpy as np
import tensorflow as tf

import mcpruner
from mcpruner.converter.training.masked_layers import get_mask, masked_layers
from mcpruner.converter.training.pruner import Pruner
from mcpruner.converter.training.schedule import PolynomialSchedule


def network() -> keras.Model:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            keras.layers.Conv2D(16, 3, padding="same", name="conv"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(24, name="hidden"),
            keras.layers.Dense(3, name="classifier"),
        ]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def strategy(kind: str) -> tf.distribute.Strategy:
    if kind == "workers":
        return tf.distribute.MultiWorkerMirroredStrategy()
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def custom_loop(model: keras.Model, chosen: tf.distribute.Strategy, x: np.ndarray, y: np.ndarray) -> None:
    """Each worker on images of its own: Keras' `fit` itself does not run under MultiWorkerMirroredStrategy."""
    index, count = chosen.cluster_resolver.task_id, chosen.num_replicas_in_sync
    schedule = PolynomialSchedule(0, 8, frequency=2)
    pruner = Pruner(model, schedule, "hikey970-cpu", density=0.25)

    @tf.function
    def step(images: tf.Tensor, labels: tf.Tensor) -> None:
        def replica() -> None:
            with tf.GradientTape() as tape:
                logits = model(images, training=True)
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
            variables = [variable.value for variable in model.trainable_variables]
            gradients = tape.gradient(loss, variables)
            gradients = tf.distribute.get_replica_context().all_reduce("MEAN", gradients)
            for variable, gradient in zip(variables, gradients, strict=True):
                variable.assign_sub(0.05 * gradient)

        chosen.run(replica)

    for _ in range(16):
        step(tf.constant(x[index::count]), tf.constant(y[index::count]))
        pruner.step()
    pruner.finish()


def digest(arrays: list[np.ndarray]) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def main() -> None:
    chosen = strategy(sys.argv[1])
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 8, 8, 4)).astype(np.float32), rng.integers(0, 3, 64)
    with chosen.scope():
        model = network()
        if sys.argv[1] == "workers":
            custom_loop(model, chosen, x, y)
        else:
            callback = mcpruner.PruningCallback("hikey970-cpu", density=0.25, end_step=8, frequency=2)
            model.fit(x, y, batch_size=16, epochs=4, verbose=0, callbacks=[callback])
    masks = [get_mask(layer) for layer in masked_layers(model)]
    kernels = [mcpruner.strip(model).get_layer(name).get_weights()[0] for name in ("conv", "hidden")]
    found = {
        "replicas": chosen.num_replicas_in_sync,
        "masks": digest(masks),
        "weights": digest(kernels),
        "densities": [float((kernel != 0).mean()) for kernel in kernels],
        "zeros_agree": all(((k != 0) <= m).all() for k, m in zip(kernels, masks, strict=True)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
