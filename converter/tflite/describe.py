"""What `decide` chose and `rewrite` did, in words: a line of the report for each layer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mcpruner.converter.cost.estimate import Choice
from mcpruner.converter.format.costs_generated import MOST_DENSITY
from mcpruner.converter.format.limits_generated import MAX_PATTERNS
from mcpruner.converter.tflite.decide import Decision, GraphDecision, LayerDecision
from mcpruner.converter.tflite.pack_by_plan import PlannedFile
from mcpruner.converter.tflite.portable import WrittenLayer
from mcpruner.converter.tflite.report import LayerReport, PartitionReport
from mcpruner.converter.tflite.restore_values import RestoredLayer
from mcpruner.converter.tflite.rewrite import PackedLayer


def describe(
    decision: Decision, packed: Mapping[tuple[int, int], PackedLayer], numbers: Sequence[Sequence[int]]
) -> list[LayerReport]:
    """Write the lines of the report, in execution order, subgraph by subgraph.

    Parameters
    ----------
    decision
        What `decide` returned.
    packed
        What `rewrite` returned: the layers that were packed, by the numbers of subgraph and operator.
    numbers
        For each subgraph, the numbers that its operators had in the source.
    """
    return [
        replace(_line(layer, graph, packed.get((number, layer.index))), index=numbers[number][layer.index])
        for number, graph in enumerate(decision.graphs)
        for layer in graph.layers
    ]


def describe_builtin(
    lines: Sequence[LayerReport],
    subgraphs: Sequence[int],
    planned: PlannedFile,
    restored: Mapping[tuple[int, int], RestoredLayer],
    written: Mapping[tuple[int, int], WrittenLayer],
) -> list[LayerReport]:
    """Say in each line what the source, and the new file, have otherwise: builtin operators, and other values.

    Parameters
    ----------
    lines
        What `describe` returned, with the numbers that operators had when plans had been carried out.
    subgraphs
        The subgraph of each line.
    planned
        What `pack_by_plan` returned for the source.
    restored, written
        What `restore_values` and `write_builtin` did, by the same numbers of subgraph and operator.
    """
    return [
        _in_files(line, number, planned, restored.get((number, line.index)), written.get((number, line.index)))
        for line, number in zip(lines, subgraphs, strict=True)
    ]


def _in_files(
    line: LayerReport, subgraph: int, planned: PlannedFile, restored: RestoredLayer | None, after: WrittenLayer | None
) -> LayerReport:
    index = planned.numbers[subgraph][line.index]
    before = planned.layers.get((subgraph, index))
    line = replace(line, index=index)
    if before is not None:
        reason = f"sparse: by the source's plan, groups of {before.group_size}"
        line = replace(
            line, op=before.op, bytes_before=before.stored_bytes, bytes_after=before.blob_bytes, reason=reason
        )
    if restored is not None:
        line = replace(
            line,
            num_patterns=restored.num_patterns,
            bytes_after=restored.stored_bytes,
            reason=f"{line.reason}, {restored.clause}",
        )
    if after is not None:
        reason = f"{line.reason}; plain weights, since {after.why_plain}" if after.why_plain else line.reason
        line = replace(line, bytes_after=after.stored_bytes, reason=reason)
    return line


def describe_partitions(decision: Decision) -> list[PartitionReport]:
    """Write the report's partitions, in execution order, subgraph by subgraph; `decision` is what `decide` returned."""
    return [
        PartitionReport(
            number,
            len(part.ops),
            sum(layer.packed for layer in graph.layers if layer.index in part.ops),
            round(part.tflite_ns / 1e3, 1),
            round(part.plugin_ns / 1e3, 1),
            round(part.speedup, 3),
        )
        for number, graph in enumerate(decision.graphs)
        for part in graph.predicted.partitions
    ]


def _line(layer: LayerDecision, graph: GraphDecision, packed: PackedLayer | None) -> LayerReport:
    line = LayerReport(
        name=layer.name,
        index=layer.index,
        op=layer.op,
        shape=list(layer.shape),
        density=layer.density,
        bytes_before=layer.stored_bytes,
        bytes_after=layer.stored_bytes,
    )
    if layer.earlier is not None:
        return replace(
            line,
            num_patterns=layer.earlier.num_patterns,
            group_size=layer.earlier.group_size,
            predicted_speedup=round(layer.earlier.predicted_speedup, 3),
            accelerated=True,
            reason=f"sparse: packed by an earlier conversion, groups of {layer.earlier.group_size}",
        )
    if packed is None:
        return replace(line, reason=f"dense: {_why_dense(layer, graph)}")
    reason = f"sparse: density {layer.density:.3f}, groups of {layer.choice.group_size}"
    return replace(
        line,
        num_patterns=packed.num_patterns,
        group_size=layer.choice.group_size,
        bytes_after=packed.stored_bytes,
        predicted_speedup=round(layer.choice.predicted_speedup, 3),
        accelerated=True,
        reason=reason + (f", as float32, since {packed.why_float32}" if packed.why_float32 else ""),
    )


def _why_dense(layer: LayerDecision, graph: GraphDecision) -> str:
    """A clause: it cannot be packed, it would not be faster, or the model would not."""
    if layer.choice is None:
        return layer.obstacle
    if layer.choice.predicted_speedup <= 1:
        return _why_slower(layer.density, layer.choice)
    alone, slow = layer.choice.predicted_speedup, graph.slow_partition(layer)
    what, speedup = "the model", graph.considered.speedup
    if slow is not None:
        what, speedup = f"the {len(slow.ops)} operators that the plugin would run with it", slow.speedup
    return f"packed it is predicted {alone:.2f} times as fast, but {what} {speedup:.2f} times, which is not worth it"


def _why_slower(density: float, choice: Choice) -> str:
    if density == 1:
        return "it has no zeros"
    if density > MOST_DENSITY:
        return f"it keeps {density:.3f} of its weights: a dense layer runs as fast"
    if choice.predicted_speedup == 0:
        return f"its zeros form more than {MAX_PATTERNS} different patterns"
    return f"at density {density:.3f} the packed layer would run at {choice.predicted_speedup:.2f} of the dense speed"
