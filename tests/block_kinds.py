"""Models whose prunable layers are inside blocks that a user wrote, of each kind that people write; all registered."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers
from keras_kinds import CHANNELS, branch, conv, functional, head, images

registered = keras.saving.register_keras_serializable("mcpruner_blocks")


@registered
class Ready(layers.Layer):
    """Layers made by the constructor, built by `build`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.first, self.second = conv(), conv(activation="relu")

    def build(self, shape: Any) -> None:
        self.first.build(shape)
        self.second.build(self.first.compute_output_shape(shape))

    def call(self, x: Any) -> Any:
        return self.second(self.first(x))


@registered
class Called(layers.Layer):
    """Layers made by the constructor, built by the first call."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.first, self.scale = conv(), self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, x: Any) -> Any:
        return x + self.scale * self.first(x)


@registered
class Late(layers.Layer):
    """Layers made by `build`, one of them a block that does so, too."""

    def __init__(self, depth: int, **options: Any) -> None:
        super().__init__(**options)
        self.depth = depth

    def build(self, shape: Any) -> None:
        self.outer = conv()
        self.outer.build(shape)
        self.inner = Late(self.depth - 1) if self.depth else Called()
        self.inner.build(shape) if self.depth else self.inner(keras.KerasTensor(shape))

    def call(self, x: Any) -> Any:
        return self.inner(keras.ops.relu(self.outer(x)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth": self.depth}


@registered
class Many(layers.Layer):
    """Lists, dictionaries, tuples, and a layer that has been replaced."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.steps = [conv(), layers.BatchNormalization(), (Called(), conv())]
        self.by_name = {"zeta": conv(), "alpha": [conv()]}
        self.last = conv()
        self.last = conv()

    def call(self, x: Any) -> Any:
        x = self.steps[2][0](self.steps[1](self.steps[0](x)))
        return self.last(self.by_name["alpha"][0](self.by_name["zeta"](self.steps[2][1](x))))


@registered
class Names(layers.Layer):
    """Layers by names that models have for something else, and blocks do not."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.layers, self.loss, self.optimizer = [conv(), Called()], conv(), {"fit": conv()}

    def call(self, x: Any) -> Any:
        for layer in (*self.layers, self.loss, *self.optimizer.values()):
            x = layer(x)
        return x


@registered
class Around(layers.Layer):
    """A block that is given its layer and writes it itself."""

    def __init__(self, inner: Any, **options: Any) -> None:
        super().__init__(**options)
        self.inner, self.other = inner, conv()

    def call(self, x: Any) -> Any:
        return self.other(x + self.inner(x))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "inner": keras.saving.serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Around":
        return cls(**{**config, "inner": keras.saving.deserialize_keras_object(config["inner"])})


@registered
class Gated(layers.Conv2D):
    """A prunable layer with another one inside."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"filters": CHANNELS, "kernel_size": 3, "padding": "same", **options})
        self.gate = layers.Dense(CHANNELS)

    def build(self, shape: Any) -> None:
        super().build(shape)
        self.gate.build(shape)

    def call(self, x: Any) -> Any:
        return super().call(x) * keras.ops.sigmoid(self.gate(x))


@registered
class Cell(layers.Layer):
    """A cell of Keras' recurrent layer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.state_size = CHANNELS
        self.read, self.keep = layers.Dense(CHANNELS), layers.Dense(CHANNELS)

    def build(self, shape: Any) -> None:
        self.read.build(shape)
        self.keep.build((None, CHANNELS))

    def call(self, x: Any, states: Any) -> Any:
        state = keras.ops.tanh(self.read(x) + self.keep(states[0]))
        return state, [state]


@registered
class Net(keras.Model):
    """A subclassed model with Keras' own configuration and a training step of its own."""

    def __init__(self, width: int = CHANNELS, **options: Any) -> None:
        super().__init__(**options)
        self.stem, self.block, self.head = layers.Conv2D(width, 1), Ready(), layers.Dense(3)
        self.steps_seen = 0

    def call(self, x: Any) -> Any:
        return self.head(keras.ops.mean(self.block(self.stem(x)), axis=(1, 2)))

    def train_step(self, *arguments: Any) -> Any:
        self.steps_seen += 1
        return super().train_step(*arguments)


@registered
class Written(Net):
    """One with a configuration of its own, which does not tell of names."""

    def get_config(self) -> dict[str, Any]:
        return {"channels": self.stem.filters}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Written":
        return cls(config["channels"])


@registered
class Holder(keras.Model):
    """Holds a functional model, and a sequential one that is not built yet."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.body = functional_body()
        self.tail = keras.Sequential([conv(), Called(), layers.GlobalAveragePooling2D(), layers.Dense(3)])

    def call(self, x: Any) -> Any:
        return self.tail(self.body(x))


@registered
class Graph(keras.Model):
    """A functional model whose constructor makes its graph."""

    def __init__(self, width: int = CHANNELS, **options: Any) -> None:
        inputs = keras.Input((6, 6, CHANNELS))
        super().__init__(inputs, head(Ready()(layers.Conv2D(width, 1)(inputs))), **options)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "width": self.layers[1].filters}


def functional_body() -> keras.Model:
    inputs = keras.Input((6, 6, CHANNELS))
    return keras.Model(inputs, branch("part")(conv()(inputs)))


def called(model: keras.Model) -> keras.Model:
    model(images())
    return model


def twice() -> keras.Model:
    block = Ready()
    return functional(lambda x: block(layers.ReLU()(block(x))))


def recurrent() -> keras.Model:
    inputs = keras.Input((6, 6, CHANNELS))
    x = layers.RNN(Cell())(layers.Reshape((6, 6 * CHANNELS))(inputs))
    return keras.Model(inputs, layers.Dense(3)(x))


KINDS: dict[str, Callable[[], keras.Model]] = {
    "a block": lambda: functional(Ready()),
    "a block in a sequential model": lambda: keras.Sequential([keras.Input((6, 6, CHANNELS)), conv(), Ready(), conv()]),
    "a block that its call builds": lambda: functional(Called()),
    "blocks made by build": lambda: functional(Late(2)),
    "lists and dictionaries": lambda: functional(Many()),
    "names that models have": lambda: functional(Names()),
    "a block around a layer": lambda: functional(Around(conv())),
    "a block around a block": lambda: functional(Around(Ready())),
    "a prunable layer around another": lambda: functional(Gated()),
    "a cell": recurrent,
    "a block used twice": twice,
    "a subclassed model": lambda: called(Net()),
    "a subclassed model that writes itself": lambda: called(Written()),
    "a subclassed model with others inside": lambda: called(Holder()),
    "a functional model with a subclassed one inside": lambda: functional(
        lambda x: layers.Reshape((1, 1, 3))(Net()(x))
    ),
    "a functional model made by its constructor": Graph,
}
