"""A goal for a whole model, and the plan that meets it, checked without loading Keras."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from numbers import Real
from pathlib import Path

from mcpruner.converter.whole_file import write_file


@dataclass(frozen=True)
class Plan(Mapping[str, float]):
    """Densities to prune with, to be read, edited and kept: ``prune(model, target, density=plan)``.

    A plan is the mapping of labels to densities that `density` takes.

    Attributes
    ----------
    target
        Name of the hardware.
    densities
        Label of each prunable layer (its path, numbered where another layer has the same) to its density.
    density
        Kept share of all prunable weights.
    multiply_adds
        Kept share of the multiply-adds of all prunable layers; None for models whose output sizes Keras does not show.
    dense_ms, pruned_ms
        Predicted time of all convolutions and dense layers on one thread, dense in TFLite and pruned in our plugin;
        None likewise.
    """

    target: str
    densities: dict[str, float]
    density: float
    multiply_adds: float | None = None
    dense_ms: float | None = None
    pruned_ms: float | None = None

    def __getitem__(self, label: str) -> float:
        """The density of a layer."""
        return self.densities[label]

    def __iter__(self) -> Iterator[str]:
        """The labels of the layers."""
        return iter(self.densities)

    def __len__(self) -> int:
        """How many layers it has a density for."""
        return len(self.densities)

    def save(self, path: str | Path) -> None:
        """Write as JSON, whole or not at all."""
        write_file(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> "Plan":
        """Read what `save` wrote, with whatever densities are in it now.

        Raises
        ------
        ValueError
            The file is no plan.
        """
        try:
            plan = cls(**json.loads(Path(path).read_text()))
            if not isinstance(plan.densities, dict):
                raise TypeError(f"its densities are {plan.densities!r}, and not a number for each layer")
            return plan
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is no plan ({error}): write one with `mcpruner.allocate(...).save`.") from error


def check_goal(given: dict[str, float]) -> None:
    """Raise ValueError unless it is one goal in its range; see `mcpruner.allocate` for what there is."""
    if len(given) != 1:
        raise ValueError(
            f"Expected one of density, multiply_adds, speedup and latency_ms, got {', '.join(given) or 'none'}."
        )
    name, value = next(iter(given.items()))
    if not isinstance(value, Real):
        raise ValueError(f"Expected {name} as a number, got {value!r}.")
    if not value > 0:
        raise ValueError(f"Expected a goal above 0, got {_described(given)}.")
    if name in ("density", "multiply_adds") and value > 1:
        raise ValueError(f"Expected {name} of at most 1, got {value:g}.")


def out_of_reach(goal: dict[str, float], limit: float) -> str:
    """A sentence about a goal, by name, that says what is reachable: the limit, rounded to what is reachable too."""
    (name,) = goal
    end, rounded = ("most", math.floor) if name == "speedup" else ("least", math.ceil)
    unit = 10.0 ** (math.floor(math.log10(limit)) - 3)
    return (
        f"{_described(goal)} is out of reach: as long as every filter and channel keeps a weight, the {end} is "
        f"{name}={rounded(limit / unit) * unit:.4g}."
    )


def _described(goals: dict[str, float]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in goals.items())
