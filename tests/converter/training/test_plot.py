"""The picture of a pruning run, and what it is drawn from."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from mcpruner.converter.training.plot import plot_history


def _history(**logs: list[float]) -> SimpleNamespace:
    return SimpleNamespace(history=logs, epoch=[0, 1, 2], params={"steps": 10})


@pytest.mark.parametrize("metric", ["val_accuracy", "loss"])
def test_draws_a_picture(metric: str, tmp_path: Path) -> None:
    path = tmp_path / "pruning.png"
    plot_history(_history(density=[1.0, 0.5, 0.25], **{metric: [0.4, 0.3, 0.2]}), path)
    with Image.open(path) as picture:
        assert picture.size == (700, 400)
        assert len(set(picture.convert("RGB").getdata())) > 10


def test_a_history_without_density_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Expected the history of a fit with a PruningCallback, got what has no"):
        plot_history(_history(accuracy=[0.1, 0.2, 0.3]), tmp_path / "pruning.png")
