"""Masked layers: a layer whose kernel is seen through a mask, by any Keras backend and in compiled training steps.

    variable `kernel`  (dense: the shadow) ─┐
    variable `mask`    (bool)               ├─>  property `kernel` = shadow where kept, 0 where pruned  ─>  call()
    variable `through` (float32, 1 or 0)    │    gradient of the shadow where kept: g, that of the masked kernel
    variable `decay`   (float32)           ─┘    where pruned: through * g + decay * shadow
    variable `steps`   (`StepState`)             how far pruning has come

While `through` is 1 a pruned weight goes on learning in the shadow from what the masked network says of it (the
straight-through estimator), so that it can come back; with 0 it rests. Nobody sees the error of a weight that is not
there, so it would drift far from 0: the decay holds it. It comes as a loss of the layer whose value is always 0, so
that logged losses stay the user's; a training step of one's own adds ``sum(model.losses)``, as for regularizers.

The optimizer, mixed precision, distribution and checkpoints need to know nothing of this: all of it are ordinary
non-trainable variables of the layer, which hold whatever pruning must not forget. JAX's jitted step takes them as
inputs, so that new masks need no new trace.

`mask_layer` makes a layer masked in place by exchanging its class, as PyTorch's parametrizations do: the model, its
graph and its optimizer stay the ones the user has. The new class is a subclass of the layer's own, whatever that is,
and has its name, by which Keras finds a layer's place in files of weights. Its configuration is the plain layer's and
says which class that is, so that a copy or a file needs of the user what it needed before and no more.
"""

from functools import cache
from typing import Any, NamedTuple

import keras
import numpy as np

from mcpruner.converter.training.keras_kernel import kernel_name, kernel_of

_VARIABLES = ("pruning_mask", "pruning_through", "pruning_decay", "pruning_steps")


class StepState(NamedTuple):
    """How far the pruning of a layer has come.

    Attributes
    ----------
    count
        Optimizer steps since pruning began.
    at
        What the optimizer's own counter said when `count` was written; what it says beyond that are further steps.
    end
        The schedule's last step; 0 where there is no schedule yet.
    """

    count: int = 0
    at: int = 0
    end: int = 0


class Exchanged:
    """A class that takes the place of a user's, of which the user's class is not told as of a subclass of it.

    It may want arguments of its subclasses, or keep a list of those that the user wrote.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Called by Python for each class that is made; not passed on."""


class Masked(Exchanged):
    """What a masked layer has in addition to its plain class; see the module."""

    plain: type  # This is the layer's own class.

    def _masked_kernel(self) -> Any:
        """The kernel with exact zeros where it is pruned; gradients pass to the shadow there as `through` says."""
        name = kernel_name(self.plain)
        if hasattr(self.plain, name):
            dense = keras.ops.convert_to_tensor(getattr(super(), name))
        elif name in vars(self):
            dense = keras.ops.convert_to_tensor(vars(self)[name])
        else:
            raise AttributeError(f"The layer {self.name!r} has no {name} before it is built.")
        mask = keras.ops.convert_to_tensor(self.pruning_mask)
        through = keras.ops.cast(self.pruning_through, dense.dtype)
        # The value of a pruned weight is 0, its gradient `through`.
        return keras.ops.where(mask, dense, through * (dense - keras.ops.stop_gradient(dense)))

    def _get_own_losses(self) -> list[Any]:
        """Called by Keras for the losses of the plain layer, here with the decay of what is pruned."""
        losses = super()._get_own_losses()
        if not self.built:
            return losses
        dense = keras.ops.convert_to_tensor(shadow(self))
        pruned = keras.ops.where(keras.ops.convert_to_tensor(self.pruning_mask), keras.ops.zeros_like(dense), dense)
        at_rest = keras.ops.stop_gradient(pruned)
        # The products are with exact zeros: the value is 0 even where a sum of squares would overflow in half
        # precision.
        nothing = keras.ops.sum(at_rest * (pruned - at_rest))
        decay = keras.ops.cast(self.pruning_decay, dense.dtype)
        # Keras adds a model's losses to the one of its outputs, which is of this type whatever the layers' policy is.
        return [*losses, keras.ops.cast(decay * nothing, keras.config.floatx())]

    def _post_build(self) -> None:
        """Called by Keras after `build`: a masked layer from a configuration has its variables after all others."""
        super()._post_build()
        _add_variables(self)

    def get_config(self) -> dict[str, Any]:
        """The plain layer's configuration, and which class that is, as Keras writes it."""
        plain = plain_view(self)
        written = keras.saving.serialize_keras_object(plain)
        kind = {name: written[name] for name in ("module", "class_name", "registered_name")}
        return {**plain.get_config(), "masked_layer": kind}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> keras.layers.Layer:
        """Make the plain layer again and mask it; a class that is at hand needs no look-up by its name."""
        own = {name: value for name, value in config.items() if name != "masked_layer"}
        if cls is Masked:
            layer = keras.saving.deserialize_keras_object({**config["masked_layer"], "config": own})
        else:
            layer = cls.plain.from_config(own)
        mask_layer(layer)
        return layer

    def __reduce__(self) -> tuple[Any, ...]:
        """Let pickle make the object again as it makes the plain layer."""
        return reduced_as(self.plain, super().__reduce__())

    def save_own_variables(self, store: Any) -> None:
        """Save what the plain layer saves, the dense kernel for one, and the variables of pruning by name."""
        plain_view(self).save_own_variables(store)
        for name in _VARIABLES:
            store[name] = getattr(self, name)

    def load_own_variables(self, store: Any) -> None:
        """Load what `save_own_variables` saved; after a file of the plain layer nothing is pruned."""
        written = {name: store[name] for name in list(store.keys())}
        plain_view(self).load_own_variables({name: x for name, x in written.items() if name not in _VARIABLES})
        for name, start in zip(_VARIABLES, (True, 1.0, 0.0, StepState()), strict=True):
            variable = getattr(self, name)
            variable.assign(written.get(name, np.broadcast_to(start, variable.shape)))


_written_as = keras.saving.register_keras_serializable("mcpruner", "Masked")
_written_as(Masked)  # Another process reads this name in files before it has masked a layer.


@cache
def masked_class(plain: type) -> type:
    """Subclass of `plain` whose kernel is masked."""
    name = kernel_name(plain)

    def set_kernel(layer: Masked, variable: keras.Variable) -> None:
        """Called where `build` of the plain class sets the attribute, of which the property takes the place."""
        vars(layer)[name] = variable

    kernel = property(Masked._masked_kernel, None if hasattr(plain, name) else set_kernel)
    members = {"__module__": __name__, "__doc__": Masked.__doc__, "plain": plain, name: kernel}
    masked = type(plain.__name__, (Masked, plain), members)
    _written_as(masked)  # all of them are written under the name that is read as `Masked`
    _written_as(Masked)
    return masked


def mask_layer(layer: keras.layers.Layer) -> bool:
    """Make a layer masked, in place, with everything kept; False if it is already."""
    if isinstance(layer, Masked):
        return False
    layer.__class__ = masked_class(type(layer))
    if layer.built:
        _add_variables(layer)
    return True


def reduced_as(plain: type, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    """What pickle is told of an object of a class made here, which pickle cannot find: to call `plain` instead.

    Keras has the object's class read a file that is in the pickle, and it is in the file of which class the object is.
    """
    function, *rest = reduced
    if isinstance(getattr(function, "__self__", None), type) and issubclass(function.__self__, plain):
        function = getattr(plain, function.__name__)
    return function, *rest


def _add_variables(layer: keras.layers.Layer) -> None:
    """Give a built masked layer its variables."""
    mask = tuple(shadow(layer).shape), "ones", "bool"
    kinds = mask, ((), "ones", "float32"), ((), "zeros", "float32"), ((3,), "zeros", "int32")
    layer._tracker.unlock()
    for name, kind in zip(_VARIABLES, kinds, strict=True):
        setattr(layer, name, layer.add_weight(*kind, trainable=False, name=name))
    layer._tracker.lock()


def plain_view(layer: keras.layers.Layer) -> keras.layers.Layer:
    """The same layer as its plain class sees it, without the variables of pruning; only for reading and writing it."""
    if not isinstance(layer, Masked):
        return layer
    state = {name: value for name, value in vars(layer).items() if name not in _VARIABLES}
    if layer.built:
        own = set(map(id, pruning_variables(layer)))
        state["_non_trainable_variables"] = [v for v in layer._non_trainable_variables if id(v) not in own]
    view = object.__new__(layer.plain)
    object.__setattr__(view, "__dict__", state)
    return view


def shadow(layer: keras.layers.Layer) -> keras.Variable:
    """The dense kernel of a layer, as the optimizer moves it, whether the layer is masked or not."""
    name = kernel_name(type(layer))
    return vars(layer).get(f"_{name}", vars(layer).get(name))


def pruning_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    """The variables that a built masked layer has beside those of its plain class."""
    return [getattr(layer, name) for name in _VARIABLES]


def dense_kernel(layer: keras.layers.Layer) -> np.ndarray:
    """The kernel of a layer before it is masked, adapters (LoRA) included, in its own shape."""
    return keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(kernel_of(plain_view(layer))))


def effective_kernel(layer: keras.layers.Layer) -> np.ndarray:
    """The kernel of a layer as it is used: exact zeros, positive ones, where it is masked."""
    kernel = dense_kernel(layer)
    return np.where(get_mask(layer), kernel, np.zeros((), kernel.dtype)) if isinstance(layer, Masked) else kernel


def masked_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The masked layers of a model, those of nested models too."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, Masked)]


def get_mask(layer: keras.layers.Layer) -> np.ndarray:
    """The mask of a masked layer: bool, in the kernel's own shape, true where a weight is kept."""
    return keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(layer.pruning_mask)).astype(bool)


def set_mask(layer: keras.layers.Layer, mask: np.ndarray, learns: bool, decay: float = 0.0) -> None:
    """Give a masked layer a mask.

    Parameters
    ----------
    layer
        A built masked layer.
    mask
        bool, in the kernel's own shape, true where a weight is kept.
    learns
        Whether pruned weights go on learning by straight-through gradients, or rest.
    decay
        Weight decay of pruned weights, at least 0.
    """
    layer.pruning_mask.assign(mask)
    layer.pruning_through.assign(1.0 if learns else 0.0)
    layer.pruning_decay.assign(decay)


def get_steps(layer: keras.layers.Layer) -> StepState:
    """How far the pruning of a masked layer has come."""
    steps = keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(layer.pruning_steps))
    return StepState(*map(int, steps))


def set_steps(layer: keras.layers.Layer, steps: StepState) -> None:
    """Write into a masked layer how far its pruning has come."""
    layer.pruning_steps.assign(np.array(steps, np.int32))


def fold_mask(layer: keras.layers.Layer) -> None:
    """Set the shadow to 0 where it is pruned: exact zeros, positive ones."""
    kernel, mask = map(keras.ops.convert_to_tensor, (shadow(layer), layer.pruning_mask))
    shadow(layer).assign(keras.ops.where(mask, kernel, keras.ops.zeros_like(kernel)))
