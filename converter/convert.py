"""`convert`: from a model to a ``.tflite`` whose pruned layers are packed, and a report on every layer."""

from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

from mcpruner.converter.cost.cost_model import CostModel, load_costs
from mcpruner.converter.source import load_source
from mcpruner.converter.target import Target, get_target
from mcpruner.converter.tflite.decide import decide
from mcpruner.converter.tflite.describe import describe, describe_builtin, describe_partitions
from mcpruner.converter.tflite.drop_unused import Use
from mcpruner.converter.tflite.fix_batch import check_batch, fix_batch
from mcpruner.converter.tflite.fold import correct_sizes, fold_all
from mcpruner.converter.tflite.model import read_model, write_model
from mcpruner.converter.tflite.pack_by_plan import PlannedFile, pack_by_plan
from mcpruner.converter.tflite.portable import WrittenLayer, write_builtin
from mcpruner.converter.tflite.report import Report
from mcpruner.converter.tflite.restore_values import restore_values
from mcpruner.converter.tflite.rewrite import rewrite
from mcpruner.converter.tflite.sizes import KnownSizes

VALUES = ("source", "float32", "float16", "int8")
FORMATS = ("packed", "portable", "dense")
MAX_THREADS = 64  # of the plugin: kMaxThreads of delegate/cpu/cpu_backend.h


class Wishes(NamedTuple):
    """What to convert for, checked; `convert` describes each."""

    hardware: Target
    values: str
    costs: CostModel
    batch: int | None
    file_format: str = "packed"


def check_wishes(
    target: str | Target,
    values: str,
    calibration: str | Path | None = None,
    batch: int | None = None,
    file_format: str = "packed",
    num_threads: int = 1,
) -> Wishes:
    """Check what `convert` is told beside the model, before that is loaded; ValueError with one sentence."""
    hardware = get_target(target)
    if values not in VALUES:
        raise ValueError(f"Unknown value type {values!r}: use one of {', '.join(VALUES)}.")
    if file_format not in FORMATS:
        raise ValueError(f"Unknown format {file_format!r}: use one of {', '.join(FORMATS)}.")
    if batch is not None:
        check_batch(batch)
    if not isinstance(num_threads, Integral) or isinstance(num_threads, bool) or not 1 <= num_threads <= MAX_THREADS:
        raise ValueError(f"Expected num_threads as a whole number of 1 to {MAX_THREADS}, got {num_threads!r}.")
    costs = load_costs(calibration or hardware.costs).for_threads(int(num_threads))
    return Wishes(hardware, values, costs, batch, file_format)


def convert(
    model_or_path: Any,
    target: str | Target = "generic",
    values: str = "source",
    calibration: str | Path | None = None,
    batch: int | None = None,
    format: str = "packed",
    num_threads: int = 1,
) -> tuple[bytes, Report]:
    """Pack the pruned layers of a model for mcpruner's delegate.

    The result runs in any TFLite runtime that loads the delegate; in the formats portable and dense, in any runtime.
    Zeros may come from anywhere: `prune`, tfmot, PyTorch; what is packed reads back bit for bit (rounded, if `values`
    is not float32), which is checked here for each layer. Layers that would not run faster stay as they are, and so
    does the whole model where packed layers gain less than the dense ones lose that run beside them in the plugin.

    Parameters
    ----------
    model_or_path
        A Keras 3 model, a ``.keras`` or ``.h5`` file, a SavedModel folder, or a ``.tflite`` file or its bytes.
    target
        Hardware it is for, a name from `target.TARGETS`.
    values
        How packed weights are stored: ``"source"``, each layer as the source has it (float32, or float16 of a
        ``.tflite`` that was quantized so); ``"float32"``, ``"float16"``, or ``"int8"`` with one scale per filter, also
        of layers that the source has packed. They are computed with as float32 in any case.
    calibration
        File of ``mcpruner calibrate``, made on the machine that will run the model, to predict speed by; by default the
        target's shipped table.
    batch
        Size of the batch that the file will run with, for a model that leaves it open; by default it stays open.
    format
        ``"packed"``: custom operators, which the delegate alone runs. ``"portable"``: builtin operators, the weights as
        sparse tensors and the way to pack them as metadata; every runtime runs it, at dense speed. ``"dense"``: the
        same with plain tensors. A file of either format can be converted to the others without a loss.
    num_threads
        Threads that the file is predicted to run on, 1 to 64. What would be slower on so many stays dense; what is
        packed runs on any number.

    Returns
    -------
    bytes
        The ``.tflite``; the source's, byte for byte, if no layer is or was packed and no batch was fixed.
    Report
        For each layer how it is packed, or why it is not.

    Raises
    ------
    ValueError
        The model cannot be read or converted, or an argument is unknown; one sentence.
    """
    wishes = check_wishes(target, values, calibration, batch, format, num_threads)
    return convert_dense(load_source(model_or_path), wishes)


class _Source(NamedTuple):
    """A file's model with the wished batch, and what it was before.

    Attributes
    ----------
    model
        The model, its layers packed where the file has plans for them.
    planned
        What came of the plans.
    operators
        For each subgraph its operators, which are the same objects whatever they become.
    fixed
        The subgraphs for which the wished batch is the only one.
    known
        What is known of the subgraphs' sizes.
    """

    model: Any
    planned: PlannedFile
    operators: list[list[Any]]
    fixed: set[int]
    known: list[KnownSizes]


def _read(content: bytes, wishes: Wishes) -> _Source:
    model = read_model(content)
    planned = pack_by_plan(model)
    fixed = set() if wishes.batch is None else fix_batch(model, wishes.batch)
    operators = [list(graph.operators) for graph in model.subgraphs]
    return _Source(model, planned, operators, fixed, correct_sizes(model, fixed))


def convert_dense(content: bytes, wishes: Wishes) -> tuple[bytes, Report]:
    """Do as `convert` with the ``.tflite`` of the model."""
    source = _read(content, wishes)
    before = Use.of(source.model)
    numbers = fold_all(source.model, source.known, before)
    decision = decide(source.model, wishes.hardware, wishes.costs)
    packed = rewrite(source.model, decision, wishes.values, before)
    builtin = wishes.file_format != "packed" and decision.accelerated
    others = wishes.values != "source" and decision.accelerated
    if not packed and (builtin or others or source.fixed or source.planned.file_format):
        source = _read(content, wishes)  # What is not packed is not folded either.
    fresh = {(number, numbers[number][index]) for number, index in packed}
    restored = restore_values(source.model, source.operators, wishes.values, fresh)
    written: dict[tuple[int, int], WrittenLayer] = {}
    if builtin:
        by_id = write_builtin(source.model, wishes.file_format)
        written = {
            (number, index): by_id[id(op)]
            for number, operators in enumerate(source.operators)
            for index, op in enumerate(operators)
            if id(op) in by_id
        }
    changed = packed or restored or written or source.fixed or source.planned.file_format
    result = write_model(source.model) if changed else content
    subgraphs = [number for number, graph in enumerate(decision.graphs) for _ in graph.layers]
    lines = describe_builtin(describe(decision, packed, numbers), subgraphs, source.planned, restored, written)
    return result, Report(
        wishes.hardware.name,
        wishes.values,
        wishes.file_format,
        len(content),
        len(result),
        round(decision.speedup, 3),
        lines,
        describe_partitions(decision),
        source.planned.notes,
        wishes.costs.num_threads,
    )
