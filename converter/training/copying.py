"""A copy of a Keras model, made of copies of the objects that it is made of, not by their names or configurations.

Keras copies a model by its configuration: constructors are called again, and what a configuration does not tell is lost
or refused (the code of a `Lambda`, classes and functions that nobody registered, attributes set later, models without
a `get_config`). Here each object of a model has one copy, found by its identity, so that nothing needs a name and no
code is read from bytes:

    variables                                   the same value in a variable of its own
    layers, operations, nodes of graphs         the same class and attributes, each attribute copied by these rules
    lists, dicts, tuples, sets                  copied item by item
    functions, methods, any other object        copied if a layer or a variable is in them (a closure over `self`);
                                                the same object everywhere else

Copies are plain: masked layers and blocks become what they were, with exact zeros; adapters (LoRA) of convolutions
and dense layers are added to their kernels; nothing that `compile` and `fit` left is taken over.
"""

import functools
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
from keras.src.ops.function import make_node_key
from keras.src.utils.tracking import Tracker

from mcpruner.converter.training.keras_kernel import KINDS
from mcpruner.converter.training.masked_blocks import WAITING, plain_class
from mcpruner.converter.training.masked_layers import Masked, effective_kernel, pruning_variables, shadow

_PARTS = (keras.Operation, keras.KerasTensor, keras.Variable, keras.metrics.Metric, keras.random.SeedGenerator)
_CONTAINERS = (list, tuple, set, frozenset, deque, dict)
_FUNCTIONS = (types.FunctionType, types.MethodType, types.CellType, functools.partial)
_FOREIGN = {"tensorflow", "jax", "jaxlib", "numpy", "torch"}  # Objects of these packages are not looked into.
_EDGES = ("_inbound_nodes", "_outbound_nodes")
_NO_ADAPTER = {"lora_enabled": False, "lora_rank": None, "lora_alpha": None}
# `fit` and `predict` leave the first attributes in a model, and `compile` the second; each had this value before.
_FITTED = dict.fromkeys(("train_function", "test_function", "predict_function", "history", "_eval_epoch_iterator"))
_COMPILED = {
    **dict.fromkeys(("optimizer", "loss", "_loss_tracker", "_compile_loss", "_compile_metrics", "_compile_config")),
    "_compiled_trainable_state": {},
    "compiled": False,
}


class Copier:
    """Copies one model, and knows the copy of each of its objects.

    Parameters
    ----------
    model
        Keras 3 model of any kind, which is not changed.
    single
        Make all floating-point variables float32, and let all layers compute in float32.

    Attributes
    ----------
    copy
        The plain copy, not compiled.
    """

    def __init__(self, model: keras.Model, single: bool = False) -> None:
        self._single = single
        # An object's identity leads to the object, which must live on for that, and to its copy.
        self._copies: dict[int, tuple[Any, Any]] = {}
        self._unfilled: deque[Callable[[], None]] = deque()
        self._values: dict[int, np.ndarray] = {}  # The copies of some kernels have another value, which is here.
        self._dropped: set[int] = set()  # These variables have no copy.
        self._thawed: set[int] = set()  # An adapter had frozen these kernels.
        for layer in model._flatten_layers():
            self._make_plain(layer)
        self.copy = self.of(model)

    def of(self, x: Any) -> Any:
        """The copy of anything, which shares with the model's copy what it shares with the model."""
        copy = self._copied(x)
        while self._unfilled:  # A loop, since graphs may be too deep for recursion.
            self._unfilled.popleft()()
        self._connect()
        return copy

    def twin(self, part: Any) -> Any:
        """The copy of a layer of the model."""
        return self._copies[id(part)][1]

    def _make_plain(self, layer: keras.layers.Layer) -> None:
        """Note what the plain copy of a layer has in its kernel, and what it does not have."""
        adapted = _is_adapted(layer)
        masked = isinstance(layer, Masked) and layer.built
        if adapted:
            self._dropped |= {id(layer.lora_kernel_a), id(layer.lora_kernel_b)}
            self._thawed |= {id(shadow(layer))} if layer.trainable else set()
        if masked:
            self._dropped |= set(map(id, pruning_variables(layer)))
        if adapted or masked:
            self._values[id(shadow(layer))] = effective_kernel(layer)

    def _connect(self) -> None:
        """Tell copied operations of their nodes, as far as these were copied, and renew what holds identities."""
        for original, copy in self._copies.values():
            for name in _EDGES:
                if isinstance(original, keras.Operation):
                    vars(copy)[name] = self._known(getattr(original, name))
        for _, copy in self._copies.values():
            if isinstance(copy, Tracker):
                copy.stored_ids = {name: set(map(id, store)) for name, (_, store) in copy.config.items()}
            elif isinstance(copy, keras.Operation) and hasattr(copy, "_nodes_by_depth"):
                nodes = [node for depth in copy._nodes_by_depth.values() for node in depth]
                copy._nodes = {make_node_key(x.operation, x.operation._inbound_nodes.index(x)) for x in nodes}

    def _known(self, nodes: list[Any]) -> list[Any]:
        """Copies of nodes at the places that they have; None for those of other models' graphs."""
        copies = [self._copies.get(id(node), (node, None))[1] for node in nodes]
        while copies and copies[-1] is None:
            copies.pop()
        return copies

    def _copied(self, x: Any) -> Any:
        if id(x) in self._copies:
            return self.twin(x)
        if isinstance(x, keras.Variable):
            return self._variable(x)
        if isinstance(x, _CONTAINERS):
            return self._container(x)
        if isinstance(x, (*_PARTS, Tracker)):
            return self._object(x)
        if not _holds_parts(x):
            return x
        return self._function(x) if isinstance(x, _FUNCTIONS) or is_traced(x) else self._object(x)

    def _keep(self, original: Any, copy: Any) -> Any:
        self._copies[id(original)] = (original, copy)
        return copy

    def _object(self, x: Any) -> Any:
        """An object of the same class, the plain one if it is masked, whose attributes are filled in later."""
        try:
            copy = self._keep(x, object.__new__(plain_class(x)))
        except TypeError as error:  # such as a cache around a function, or a function that JAX has compiled
            raise ValueError(
                f"The model cannot be copied: an object of type {type(x).__qualname__} holds layers of it and cannot "
                "be taken apart; make it when it is called, or a method of the layer's class."
            ) from error

        def fill() -> None:
            changes = _changes(x, self._single)
            for name, value in vars(x).items():
                if name not in (*_EDGES, WAITING) and not self._is_dropped(value):
                    vars(copy)[name] = self._copied(changes.get(name, value))

        self._unfilled.append(fill)
        return copy

    def _is_dropped(self, x: Any) -> bool:
        """Whether it is a variable without a copy, or TensorFlow's entry for one (a name and the object)."""
        return id(x) in self._dropped or isinstance(x, tuple) and bool(x) and id(x[-1]) in self._dropped

    def _variable(self, variable: keras.Variable) -> keras.Variable:
        value = self._values.get(id(variable))
        if value is None:
            value = keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(variable))
        copy = self._keep(variable, object.__new__(type(variable)))
        vars(copy).update((name, x) for name, x in vars(variable).items() if name != "_value")
        copy._dtype = _single_dtype(copy._dtype) if self._single else copy._dtype
        trainable = copy._trainable or id(variable) in self._thawed
        # TensorFlow's variable never learns unless it was made to, also where Keras unfreezes the layer later.
        copy._trainable = getattr(variable._value, "trainable", trainable)
        copy._initialize(np.asarray(value).astype(copy._dtype))
        copy._trainable = trainable
        return copy

    def _container(self, x: Any) -> Any:
        builtin = next(kind for kind in _CONTAINERS if isinstance(x, kind))
        kind = builtin if _package(x) == "tensorflow" else type(x)  # TensorFlow wraps what is assigned to attributes
        if builtin in (tuple, frozenset):
            return self._keep(x, builtin.__new__(kind, [self._copied(item) for item in x]))
        copy = self._keep(x, kind.__new__(kind))

        def fill() -> None:  # by the builtin types' methods: Keras' own would track the items once more
            if hasattr(copy, "__dict__"):
                vars(copy).update((name, self._copied(value)) for name, value in vars(x).items())
            if builtin is dict:
                put = (OrderedDict if isinstance(copy, OrderedDict) else dict).__setitem__
                for key, value in x.items():
                    if not self._is_dropped(value):
                        put(copy, self._copied(key), self._copied(value))
            else:
                put = {list: list.append, set: set.add, deque: deque.append}[builtin]
                for item in x:
                    if not self._is_dropped(item):
                        put(copy, self._copied(item))

        self._unfilled.append(fill)
        return copy

    def _function(self, x: Any) -> Any:
        if isinstance(x, types.CellType):
            cell = self._keep(x, types.CellType())
            self._unfilled.append(lambda: setattr(cell, "cell_contents", self._copied(x.cell_contents)))
            return cell
        if isinstance(x, types.MethodType):
            return self._keep(x, types.MethodType(self._copied(x.__func__), self._copied(x.__self__)))
        if isinstance(x, functools.partial):
            keywords = {name: self._copied(value) for name, value in x.keywords.items()}
            return self._keep(x, functools.partial(self._copied(x.func), *map(self._copied, x.args), **keywords))
        if is_traced(x):
            return self._keep(x, x._clone(self._copied(x.python_function)))
        cells = None if x.__closure__ is None else tuple(map(self._copied, x.__closure__))
        defaults = None if x.__defaults__ is None else tuple(map(self._copied, x.__defaults__))
        copy = self._keep(x, types.FunctionType(x.__code__, x.__globals__, x.__name__, defaults, cells))
        copy.__kwdefaults__ = x.__kwdefaults__ and {name: self._copied(y) for name, y in x.__kwdefaults__.items()}
        self._unfilled.append(lambda: vars(copy).update((name, self._copied(y)) for name, y in vars(x).items()))
        return copy


def _changes(x: Any, single: bool) -> dict[str, Any]:
    """The attributes that the copy of an object has otherwise, with the values that they have there."""
    changes: dict[str, Any] = {}
    if isinstance(x, keras.Model):
        changes |= _FITTED | (_COMPILED if x.compiled else {})
    if _is_adapted(x):
        changes |= _NO_ADAPTER
    if single and isinstance(x, keras.KerasTensor | keras.layers.InputLayer):
        changes["_dtype"] = _single_dtype(x._dtype)
    if single and isinstance(x, keras.layers.Layer):
        changes["_dtype_policy"] = keras.DTypePolicy("float32")
    return changes


def _single_dtype(dtype: str) -> str:
    return "float32" if keras.backend.is_float_dtype(dtype) else dtype


def _is_adapted(x: Any) -> bool:
    return isinstance(x, KINDS) and bool(getattr(x, "lora_enabled", False))


def is_traced(x: Any) -> bool:
    """Whether it is a ``tf.function``, which is bound to what its Python function is bound to."""
    return _package(x) == "tensorflow" and hasattr(x, "python_function")


def forget_traces(model: keras.Model) -> None:
    """Let TensorFlow trace functions of layers again, which know what layers were like when they were traced."""
    for layer in model._flatten_layers():
        for name, value in list(vars(layer).items()):
            if is_traced(value):
                vars(layer)[name] = value._clone(value.python_function)
        for decorated in filter(is_traced, (value for cls in type(layer).__mro__ for value in vars(cls).values())):
            decorated._descriptor_cache.pop(layer, None)


def _package(x: Any) -> str:
    return type(x).__module__.partition(".")[0]


def _holds_parts(x: Any) -> bool:
    """Whether a layer, tensor or variable of Keras can be reached from an object."""
    stack, seen = [x], {id(x)}
    while stack:
        for y in _inside(stack.pop()):
            if isinstance(y, _PARTS):
                return True
            if id(y) not in seen:
                seen.add(id(y))
                stack.append(y)
    return False


def _inside(x: Any) -> Iterable[Any]:
    """The objects that an object holds; none for what belongs to other packages."""
    if isinstance(x, dict):
        return [*x.keys(), *x.values()]
    if isinstance(x, _CONTAINERS):
        return x
    if isinstance(x, types.CellType):
        return _contents(x)
    if isinstance(x, types.MethodType):
        return [x.__func__, x.__self__]
    if isinstance(x, functools.partial):
        return [x.func, *x.args, *x.keywords.values()]
    if isinstance(x, types.FunctionType):
        defaults = [*(x.__defaults__ or ()), *(x.__kwdefaults__ or {}).values()]
        return [*(x.__closure__ or ()), *defaults, *vars(x).values()]
    if _package(x) in _FOREIGN:
        return [getattr(x, name) for name in ("python_function", "__wrapped__") if hasattr(x, name)]
    return [] if isinstance(x, type | types.ModuleType) else list(getattr(x, "__dict__", {}).values())


def _contents(cell: types.CellType) -> Iterator[Any]:
    try:
        yield cell.cell_contents
    except ValueError:  # empty: a name that its function has not bound yet
        return
