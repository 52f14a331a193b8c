"""Blocks of a user's own that hold masked layers: what they are made of again by a file or a copy is masked again.

Keras writes what a functional or sequential model is made of, layer by layer, and so that a layer is masked. A block of
one's own (a subclassed model, a layer with layers inside) is written as its class and arguments, and its constructor or
`build` makes plain layers again, for which a file then holds too many variables. So such a block says which are masked:

    Net                          <- a block: class exchanged, configuration = plain one + class + places
      ├─ stem    Conv2D, masked     ["stem"]
      ├─ blocks  a list
      │    └─ 0  Block           <- one as well, with ["conv"] for its own configuration
      │           └─ conv  masked   ["blocks", 0, "conv"]
      └─ body    functional         ["body", "layers", 2]

A place is the way by which Keras finds a layer when it saves its weights: names of attributes, and positions in lists,
tuples and the values of dictionaries. It does not depend on the names of layers, which Keras numbers anew, nor on the
order in which layers were made. What is there when the block has been made again is masked at once; for the rest the
block waits until it is built, and blocks inside wait for what they make themselves.

As for masked layers, the new class is a subclass of the block's own with its name, so that methods, ``super()``, the
identity of the object and the places of weights in files stay. A block whose plain class Keras cannot write is refused
by Keras with the same words as before.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import keras
from keras.src.models.functional import Functional, functional_like_constructor
from keras.src.saving.saving_lib import get_attr_skipset

from mcpruner.converter.training.keras_kernel import KINDS
from mcpruner.converter.training.masked_layers import Exchanged, Masked, mask_layer, masked_class, reduced_as

Place = list[str | int]

# A block that is not built yet has this attribute: the places of the layers that are to be masked once it has made
# them.
WAITING = "_places_to_mask"
_WRITTEN = "masked_inside"


class MaskedBlock(Exchanged):
    """What a block with masked layers inside has in addition to its plain class; see the module."""

    _plain_block: type  # This is the block's own class.

    def _post_build(self) -> None:
        """Called by Keras after `build`, which may have made layers."""
        super()._post_build()
        _mask_what_is_there(self)

    def get_config(self) -> dict[str, Any]:
        """The plain block's configuration, which class that is, as Keras writes it, and the places of masked layers."""
        own = type(self)._plain_block
        view = object.__new__(own)  # Keras asks the class whether it has a configuration of its own
        object.__setattr__(view, "__dict__", vars(self))
        kind = {
            "module": None if own.__module__ == "__main__" else own.__module__,
            "class_name": own.__name__,
            "registered_name": keras.saving.get_registered_name(own),
        }
        places = [*_places(self), *vars(self).get(WAITING, [])]
        return {**view.get_config(), _WRITTEN: {"kind": kind, "places": places}}

    def __reduce__(self) -> tuple[Any, ...]:
        """Let pickle make the object again as it makes the plain block."""
        return reduced_as(type(self)._plain_block, super().__reduce__())

    @classmethod
    def from_config(cls, config: dict[str, Any], *options: Any, **more: Any) -> keras.layers.Layer:
        """Make the plain block again and mask what was masked; a class that is at hand needs no look-up."""
        own = {name: value for name, value in config.items() if name != _WRITTEN}
        if cls is MaskedBlock:
            block = keras.saving.deserialize_keras_object({**config[_WRITTEN]["kind"], "config": own})
        else:
            block = cls._plain_block.from_config(own, *options, **more)
        if _WRITTEN in config:
            _mask_inside(block, config[_WRITTEN]["places"])
        return block


_written_as = keras.saving.register_keras_serializable("mcpruner", "MaskedBlock")
_written_as(MaskedBlock)  # Another process reads this name in files before it has masked a block.


@cache
def _block_class(plain: type) -> type:
    """Subclass of `plain` that tells which layers inside are masked."""
    members = {"__module__": __name__, "__doc__": plain.__doc__, "_plain_block": plain}
    block = type(plain.__name__, (MaskedBlock, plain), members)
    _written_as(block)  # all of them are written under the name that is read as `MaskedBlock`
    _written_as(MaskedBlock)
    return block


def mark_blocks(model: keras.Model) -> None:
    """Let every block of a user's own, the model itself too, tell of the masked layers inside; in place.

    To be called after layers of a model were masked, for the model that they were found in.
    """
    for layer in model._flatten_layers():
        if layer._layers and _is_block(layer) and any(_places(layer)):
            _mark(layer)


def plain_class(layer: Any) -> type:
    """The class that a layer or model had before it, or layers inside, were masked."""
    cls = type(layer)
    while issubclass(cls, Masked | MaskedBlock):
        cls = cls.plain if issubclass(cls, Masked) else cls._plain_block
    return cls


def _is_block(layer: keras.layers.Layer) -> bool:
    """Whether it is of a user's own class, whose configuration need not tell of layers inside."""
    cls = plain_class(layer)
    if cls.__module__.partition(".")[0] == "keras":
        return False
    if isinstance(layer, keras.Sequential):
        return cls.get_config is not keras.Sequential.get_config
    if isinstance(layer, Functional):
        return cls.get_config is not Functional.get_config or not functional_like_constructor(cls)
    return True


def _mark(block: keras.layers.Layer) -> None:
    """Exchange the class of a block, in place; a masked layer with layers inside becomes both."""
    cls = type(block)
    if issubclass(cls, Masked):
        if not issubclass(cls.plain, MaskedBlock):
            block.__class__ = masked_class(_block_class(cls.plain))
    elif not issubclass(cls, MaskedBlock):
        block.__class__ = _block_class(cls)


def _places(block: keras.layers.Layer) -> Iterator[Place]:
    """Places of the masked layers inside a block, each layer once."""
    tracked = set(map(id, block._flatten_layers()))
    return (place for place, layer in _inside(block, [], tracked, {id(block): block}) if isinstance(layer, Masked))


def _inside(
    holder: Any, place: Place, tracked: set[int], seen: dict[int, Any]
) -> Iterator[tuple[Place, keras.layers.Layer]]:
    """Every tracked layer inside a layer, list, tuple or dictionary with its place, each once.

    A property may make another layer each time that it is asked; such a layer is no part of the block. `seen` keeps
    lists alive, since other objects could have their identities otherwise.
    """
    for step, x in _steps(holder):
        is_layer = id(x) in tracked
        if id(x) in seen or not (is_layer or isinstance(x, list | tuple | dict)):
            continue
        seen[id(x)] = x
        if is_layer:
            yield [*place, step], x
        if not is_layer or x._layers:
            yield from _inside(x, [*place, step], tracked, seen)


def _steps(holder: Any) -> Iterator[tuple[str | int, Any]]:
    """What is directly in a layer, list, tuple or dictionary."""
    if not isinstance(holder, keras.layers.Layer):
        yield from enumerate(holder.values() if isinstance(holder, dict) else holder)
        return
    if isinstance(holder, Functional | keras.Sequential):
        yield "layers", holder.layers
    # Attributes come before what the class makes of them: a subclassed model has the layers in `layers`, too.
    own = vars(holder)
    names = {*dir(holder)} - get_attr_skipset(holder._obj_type())
    for name in sorted(names, key=lambda name: (name not in own, name)):
        if not name.startswith("_self_"):  # There TensorFlow keeps what it found in the other attributes.
            with suppress(Exception):  # A property may raise anything.
                yield name, getattr(holder, name)


def _mask_inside(block: keras.layers.Layer, places: list[Place]) -> None:
    """Mark a plain block whose layers at these places are to be masked, and mask those that it has already."""
    _mark(block)
    vars(block)[WAITING] = [*vars(block).get(WAITING, []), *places]
    _mask_what_is_there(block)


def _mask_what_is_there(block: keras.layers.Layer) -> None:
    """Mask the layers that a block waits for, as far as they exist."""
    left = [place for place in vars(block).pop(WAITING, []) if not _mask_at(block, place)]
    if left:
        vars(block)[WAITING] = left


def _mask_at(block: keras.layers.Layer, place: Place) -> bool:
    """Mask the layer at a place, or let a block on the way there do that; False if nothing is there yet."""
    x: Any = block
    for index, step in enumerate(place):
        try:
            x = getattr(x, step) if isinstance(step, str) else (list(x.values()) if isinstance(x, dict) else x)[step]
        except (AttributeError, IndexError, KeyError, TypeError):
            return False
        if index + 1 < len(place) and isinstance(x, keras.layers.Layer) and _is_block(x):
            _mask_inside(x, [place[index + 1 :]])
            return True
    if not isinstance(x, KINDS):
        return False
    mask_layer(x)
    return True
