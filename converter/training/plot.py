"""A picture of a training run: density and accuracy against the optimizer's step."""

from pathlib import Path
from typing import Any

import numpy as np

from mcpruner.converter.whole_file import whole_file


def plot_history(history: Any, path: str | Path) -> None:
    """Draw how density fell and what became of the metrics while ``fit`` ran with a `PruningCallback`.

    Parameters
    ----------
    history
        What ``fit`` returned; `PruningCallback` puts ``density`` into it. Every metric whose name holds ``acc`` is
        drawn with it, or every loss where there is none.
    path
        File to write; its suffix says the format (.png, .svg, .pdf). Its folder must exist.

    Raises
    ------
    ValueError
        The history has no density.
    ImportError
        The package matplotlib is not installed.
    OSError
        The file cannot be written.
    """
    logs = getattr(history, "history", {})
    if not logs.get("density"):
        raise ValueError("Expected the history of a fit with a PruningCallback, got what has no density.")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot_history needs matplotlib: install mcpruner[plot].") from error
    steps = (np.asarray(history.epoch) + 1) * (history.params.get("steps") or 1)
    figure = Figure(figsize=(7, 4), layout="constrained")
    metrics = figure.subplots()
    names = [name for name in logs if "acc" in name] or [name for name in logs if "loss" in name]
    for name in names:
        metrics.plot(steps, logs[name], label=name)
    metrics.set_xlabel("step" if history.params.get("steps") else "epoch")
    metrics.set_ylabel(", ".join(names))
    density = metrics.twinx()
    density.plot(steps, logs["density"], color="grey", linestyle="--", label="density")
    density.set_ylabel("density (share of prunable weights kept)")
    density.set_ylim(0, 1.05)
    figure.legend(loc="outside upper center", ncols=len(names) + 1)
    with whole_file(path) as file:
        figure.savefig(file, format=Path(path).suffix[1:] or None)
