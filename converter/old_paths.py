"""Modules under the names that they had before `converter` had rooms, for scripts that were written then.

    import mcpruner.converter.tflite_model    ->    the very module mcpruner.converter.tflite.model

Two old modules have the names of rooms now, `mask` and `post_training`: these export what the modules were there for.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

_PACKAGE = "mcpruner.converter"

# These modules only moved into the room that stands before them.
_MOVED = {
    "allocation": ("allocate", "flat_allocation", "latency", "sensitivity"),
    "cost": ("cost_model", "estimate"),
    "format": (
        *("check_layer", "layer", "limits_generated", "pack", "serialize", "sparse_pattern_generated"),
        "value_type",
    ),
    "mask": ("any_pattern", "connectivity", "pattern", "permute", "reorder"),
    "post_training": ("reconstruct", "removal", "streams"),
    "tflite": (
        *("archive", "checked_schema", "dense_layer", "densify", "drop_unused", "fold_pad"),
        *("outside", "report", "weights"),
    ),
    "training": (
        *("batch_norm", "callback", "copying", "distill", "plot", "prunable", "prune", "pruner", "saliency"),
        *("schedule", "scope", "single", "tfmot"),
    ),
}

# Each module's old name leads to its new one; both begin below the package.
MOVED = {
    **{name: f"{room}.{name}" for room, names in _MOVED.items() for name in names},
    "masked": "training.masked_layers",
    "tflite_check": "tflite.check",
    "tflite_model": "tflite.model",
    "tflite_rewrite": "tflite.rewrite",
}


class OldPaths:
    """Finds and loads a module by its old name: a finder of `sys.meta_path`, and the loader that it names."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Spec of an old name; None for any other."""
        package, _, old = name.rpartition(".")
        return ModuleSpec(name, self) if package == _PACKAGE and old in MOVED else None

    def create_module(self, spec: ModuleSpec) -> None:
        """None: an empty module, until `exec_module` puts the right one into its place."""

    def exec_module(self, module: ModuleType) -> None:
        """Let the old name be the module of the new name, as the import system allows a module to do."""
        old = module.__name__.rpartition(".")[2]
        sys.modules[module.__name__] = importlib.import_module(f"{_PACKAGE}.{MOVED[old]}")


def install() -> None:
    """Make the old names importable."""
    if not any(isinstance(finder, OldPaths) for finder in sys.meta_path):
        sys.meta_path.insert(0, OldPaths())  # first, so that no file left in the old place is found
