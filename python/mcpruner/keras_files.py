"""Keras can read masked models and those with a teacher once it and `mcpruner` are imported, in either order.

A file of such a model (``.keras``, ``.h5``, a pickle) names classes of ours, and Keras knows those only that were
registered. Importing Keras takes seconds, which ``import mcpruner`` must not: so they are registered at once where
Keras is there already, and otherwise right after somebody imports it.
"""

import contextlib
import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

# These register masked layers with the blocks that hold them, and `Distiller`, when they are imported.
_MODULES = ("mcpruner.converter.training.masked_blocks", "mcpruner.converter.training.distill")


def register_masked_layers() -> None:
    """Let Keras know the masked layers, now or as soon as it is imported."""
    if "keras" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _BehindKeras())


def _register() -> None:
    # An old Keras, which our layers do not know, goes on without them.
    with contextlib.suppress(ImportError, AttributeError):
        for module in _MODULES:
            importlib.import_module(module)


class _BehindKeras:
    """A finder of `sys.meta_path` that lets the others find Keras, and registers when it has been loaded."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Spec of Keras with one more thing to do; None for all other modules."""
        if name != "keras":
            return None
        specs = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_register(module: ModuleType) -> None:
                load(module)
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                _register()

            spec.loader.exec_module = load_and_register
        return spec
