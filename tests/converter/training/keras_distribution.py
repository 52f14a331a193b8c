"""Run by `test_distributed` in a process of its own: prunes under ``keras.distribution`` on two devices of JAX.

Prints the number of devices and the density of each pruned kernel, and whether the trained and the plain model agree.
"""

import json

import keras
import numpy as np

import mcpruner


def main() -> None:
    devices = keras.distribution.list_devices("cpu")
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 8, 8, 4)).astype(np.float32), rng.integers(0, 3, 64)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            keras.layers.Conv2D(16, 3, padding="same", name="conv"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(24, name="hidden"),
            keras.layers.Dense(3, name="classifier"),
        ]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callback = mcpruner.PruningCallback("hikey970-cpu", density=0.25, end_step=8, frequency=2)
    history = model.fit(x, y, batch_size=16, epochs=4, verbose=0, callbacks=[callback])
    plain = mcpruner.strip(model)
    kernels = [plain.get_layer(name).get_weights()[0] for name in ("conv", "hidden")]
    found = {
        "devices": len(devices),
        "densities": [float((kernel != 0).mean()) for kernel in kernels],
        "history": history.history["density"][-1],
        "difference": float(np.abs(model.predict(x, verbose=0) - plain.predict(x, verbose=0)).max()),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
