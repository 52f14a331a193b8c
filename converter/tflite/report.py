"""What `convert` did to each layer, and why: for a script as JSON, for a reader as a table."""

import dataclasses
import io
import json
from dataclasses import dataclass, field
from typing import Any

# A model that keeps more than this share of the weights in every layer was not pruned; a few zeros may be anywhere.
_UNPRUNED = 0.95
_HINT = " They have hardly any zeros: prune the model first, with `mcpruner prune` or `mcpruner.prune`."


@dataclass
class LayerReport:
    """One convolution, depthwise or transposed convolution, or dense layer.

    Attributes
    ----------
    name
        The layer's name: that of the operator's output tensor, shortened.
    index
        Number of the operator in its subgraph, before conversion.
    op
        TFLite's name of the operator before conversion.
    shape
        Shape of the weights as TFLite stores them: OHWI, or [out, in]; empty if it is not known.
    density
        Share of the weights that are not zero; 1 where they cannot be read.
    num_patterns, group_size
        Patterns in the packed layer's table, and filters per group; 0 where the layer stays dense.
    bytes_before, bytes_after
        Bytes of weights and bias in the file.
    predicted_speedup
        Dense time over packed time as `estimate` predicts them; 1 where the layer stays dense.
    accelerated
        Whether the layer is packed.
    reason
        One clause: how it is packed, or why it is not.
    """

    name: str
    index: int
    op: str
    shape: list[int]
    density: float = 1.0
    num_patterns: int = 0
    group_size: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    predicted_speedup: float = 1.0
    accelerated: bool = False
    reason: str = ""


@dataclass
class PartitionReport:
    """Operators that the plugin is predicted to run together, since they hold packed layers.

    Attributes
    ----------
    subgraph
        Number of the subgraph.
    operators, packed
        How many operators it has, and how many of them are packed layers.
    tflite_microseconds, plugin_microseconds
        Predicted time of an inference in TFLite, and in the plugin with the conversions at its edges, on the
        report's number of threads.
    predicted_speedup
        The first over the second.
    """

    subgraph: int
    operators: int
    packed: int
    tflite_microseconds: float
    plugin_microseconds: float
    predicted_speedup: float


@dataclass
class Report:
    """All layers of a model in execution order.

    Attributes
    ----------
    target, values, format
        Name of the target, the value type and the format of the file, as `convert` was given them.
    bytes_before, bytes_after
        Bytes of the dense and of the converted ``.tflite``.
    predicted_speedup
        Dense time over time after conversion, of all layers of the first subgraph that has a packed one, dense layers
        included; 1 where nothing is packed.
    layers
        A `LayerReport` for each layer.
    partitions
        A `PartitionReport` for each partition that holds packed layers.
    notes
        Sentences that say which plans of the source were ignored, and why.
    num_threads
        Threads that everything is predicted for.
    """

    target: str
    values: str
    format: str
    bytes_before: int
    bytes_after: int
    predicted_speedup: float = 1.0
    layers: list[LayerReport] = field(default_factory=list)
    partitions: list[PartitionReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    num_threads: int = 1

    @property
    def num_accelerated(self) -> int:
        """Layers that are packed."""
        return sum(layer.accelerated for layer in self.layers)

    @property
    def summary(self) -> str:
        """What became of the model, in one sentence."""
        size = f"{self.bytes_before} bytes became {self.bytes_after}"
        if not self.layers:
            return "The model has no convolution and no dense layer, so nothing was packed."
        if not self.num_accelerated:
            unpruned = all(layer.density > _UNPRUNED for layer in self.layers)
            threads = "" if self.num_threads == 1 else f" for {self.num_threads} threads"
            none = f"None of {len(self.layers)} layers was packed{threads}"
            return f"{none}: all weights are as they were.{_HINT * unpruned}"
        threads = "" if self.num_threads == 1 else f" on {self.num_threads} threads"
        speedup = f"predicted {self.predicted_speedup:.2f} times as fast together{threads}"
        what = "are packed" if self.format == "packed" else f"can be packed by the plan in the {self.format} file"
        return f"{self.num_accelerated} of {len(self.layers)} layers {what} for {self.target}, {speedup}; {size}."

    def to_json(self) -> str:
        """The report as a JSON object. Keys (docs/cli.md) keep their names and order from release to release."""
        data: dict[str, Any] = dataclasses.asdict(self)
        lists = {name: data.pop(name) for name in ("layers", "partitions", "notes")}
        return json.dumps({**data, "summary": self.summary, **lists}, indent=2) + "\n"

    def table(self) -> str:
        """A table of the layers and the summary, as text."""
        from rich.console import Console
        from rich.table import Table

        table = Table()
        for column in ("layer", "operator", "weights", "density", "patterns", "group", "bytes", "speed-up", "reason"):
            table.add_column(column, justify="left" if column in ("layer", "operator", "reason") else "right")
        for layer in self.layers:
            packed = [str(layer.num_patterns), str(layer.group_size)] if layer.accelerated else ["-", "-"]
            table.add_row(
                f"{layer.index} {layer.name}",
                layer.op,
                "x".join(map(str, layer.shape)),
                f"{layer.density:.3f}",
                *packed,
                f"{layer.bytes_before} -> {layer.bytes_after}",
                f"{layer.predicted_speedup:.2f}" if layer.accelerated else "-",
                layer.reason,
            )
        text = io.StringIO()
        console = Console(file=text, width=200, color_system=None)
        if self.layers:
            console.print(table)
        for number, part in enumerate(self.partitions if len(self.partitions) > 1 else [], start=1):
            console.print(
                f"Partition {number}: {part.operators} operators, {part.packed} of them packed, predicted "
                f"{part.tflite_microseconds:.0f} us in TFLite and {part.plugin_microseconds:.0f} us in the plugin.",
                soft_wrap=True,
                highlight=False,
            )
        for sentence in [*self.notes, self.summary]:
            console.print(sentence, soft_wrap=True, highlight=False)
        return text.getvalue()
