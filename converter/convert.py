"""`convert`: from a model to a ``.tflite`` whose pruned layers are packed, and a report on every layer."""

from pathlib import Path
from typing import Any, NamedTuple

from mcpruner.converter.cost.cost_model import CostModel, load_costs
from mcpruner.converter.source import load_source
from mcpruner.converter.target import Target, get_target
from mcpruner.converter.tflite.decide import decide
from mcpruner.converter.tflite.describe import describe, describe_partitions
from mcpruner.converter.tflite.drop_unused import Use
from mcpruner.converter.tflite.fix_batch import check_batch, fix_batch
from mcpruner.converter.tflite.fold import correct_sizes, fold_all
from mcpruner.converter.tflite.model import read_model, write_model
from mcpruner.converter.tflite.report import Report
from mcpruner.converter.tflite.rewrite import rewrite
from mcpruner.converter.tflite.sizes import KnownSizes

VALUES = ("source", "float32", "float16", "int8")


class Wishes(NamedTuple):
    """What to convert for, checked; `convert` describes each."""

    hardware: Target
    values: str
    costs: CostModel
    batch: int | None


def check_wishes(
    target: str | Target, values: str, calibration: str | Path | None = None, batch: int | None = None
) -> Wishes:
    """Check what `convert` is told beside the model, before that is loaded; ValueError with one sentence."""
    hardware = get_target(target)
    if values not in VALUES:
        raise ValueError(f"Unknown value type {values!r}: use one of {', '.join(VALUES)}.")
    if batch is not None:
        check_batch(batch)
    return Wishes(hardware, values, load_costs(calibration or hardware.costs), batch)


def convert(
    model_or_path: Any,
    target: str | Target = "generic",
    values: str = "source",
    calibration: str | Path | None = None,
    batch: int | None = None,
) -> tuple[bytes, Report]:
    """Pack the pruned layers of a model for mcpruner's delegate.

    The result runs in any TFLite runtime that loads the delegate. Zeros may come from anywhere: `prune`, tfmot,
    PyTorch; what is packed reads back bit for bit (rounded, if `values` is not float32), which is checked here for each
    layer. Layers that would not run faster stay as they are, and so does the whole model where packed layers gain less
    than the dense ones lose that run beside them in the plugin.

    Parameters
    ----------
    model_or_path
        A Keras 3 model, a ``.keras`` or ``.h5`` file, a SavedModel folder, or a ``.tflite`` file or its bytes.
    target
        Hardware it is for, a name from `target.TARGETS`.
    values
        How packed weights are stored: ``"source"``, each layer as the source has it (float32, or float16 of a
        ``.tflite`` that was quantized so); ``"float32"``, ``"float16"``, or ``"int8"`` with one scale per filter. They
        are computed with as float32 in any case.
    calibration
        File of ``mcpruner calibrate``, made on the machine that will run the model, to predict speed by; by default the
        target's shipped table.
    batch
        Size of the batch that the file will run with, for a model that leaves it open; by default it stays open.

    Returns
    -------
    bytes
        The ``.tflite``; the dense one, byte for byte, if no layer was packed and no batch was fixed.
    Report
        For each layer how it is packed, or why it is not.

    Raises
    ------
    ValueError
        The model cannot be read or converted, or an argument is unknown; one sentence.
    """
    wishes = check_wishes(target, values, calibration, batch)
    return convert_dense(load_source(model_or_path), wishes)


def _read(content: bytes, wishes: Wishes) -> tuple[Any, set[int], list[KnownSizes]]:
    """The model with the wished batch, the subgraphs where that is the only one, and what is known of their sizes."""
    model = read_model(content)
    fixed = set() if wishes.batch is None else fix_batch(model, wishes.batch)
    return model, fixed, correct_sizes(model, fixed)


def convert_dense(content: bytes, wishes: Wishes) -> tuple[bytes, Report]:
    """Do as `convert` with the dense ``.tflite`` of the model."""
    model, fixed, known = _read(content, wishes)
    before = Use.of(model)
    numbers = fold_all(model, known, before)
    decision = decide(model, wishes.hardware, wishes.costs)
    packed = rewrite(model, decision, wishes.values, before)
    if fixed and not packed:
        model = _read(content, wishes)[0]  # What is not packed is not folded either.
    result = write_model(model) if packed or fixed else content
    lines = describe(decision, packed, numbers)
    sizes, parts = (len(content), len(result)), describe_partitions(decision)
    return result, Report(wishes.hardware.name, wishes.values, *sizes, round(decision.speedup, 3), lines, parts)
