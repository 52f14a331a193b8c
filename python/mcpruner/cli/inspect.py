"""``mcpruner inspect``: what is in a .tflite, layer by layer."""

import argparse
from typing import Any, NamedTuple

from mcpruner.cli.common import add_command, print_json, read_tflite
from mcpruner.text import table


def add_parser(commands: Any) -> None:
    """Declare the command and its options."""
    parser = add_command(
        commands,
        "inspect",
        "list the layers of a .tflite with their density, patterns and size",
        "mcpruner inspect pruned.tflite",
        run,
    )
    parser.add_argument("file", metavar="FILE.tflite", help="file to read, converted or not")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print the table or the JSON."""
    content = read_tflite(args.file)
    layers, planned = describe(content)
    packed = any(layer["operator"].startswith("Mcpruner") for layer in layers)
    file_format = "packed" if packed else planned.file_format
    if args.json:
        found = {"file": args.file, "bytes": len(content), "layers": layers}
        print_json({**found, "format": file_format, "notes": planned.notes})
        return 0
    headers = ["layer", "operator", "weights", "density", "patterns", "group", "values", "bytes"]
    keys = ["name", "operator", "weights", "density", "num_patterns", "group_size", "value_type", "bytes"]
    print(table(headers, [[_cell(layer[key]) for key in keys] for layer in layers]))
    for sentence in planned.notes:
        print(sentence)
    kind = {
        None: "not converted by mcpruner",
        "packed": "format packed",
    }.get(file_format, f"format {file_format}, a plan for {len(planned.layers)} layers")
    print(f"{kind}: {len(layers)} operators, {len(content)} bytes")
    return 0


class Description(NamedTuple):
    """One dictionary per operator of all subgraphs, one after another, and what `pack_by_plan` makes of the file.

    Fields that an operator has not are None. Of a layer that the file has a plan for, patterns and group size are those
    that it is packed with.
    """

    layers: list[dict[str, Any]]
    planned: Any


def describe(content: bytes) -> Description:
    """Describe a ``.tflite``.

    Raises
    ------
    ValueError
        The file or one of its blobs is damaged.
    """
    from mcpruner.converter.tflite.dense_layer import short_name
    from mcpruner.converter.tflite.densify import CONV, FULLY_CONNECTED, TRANSPOSED
    from mcpruner.converter.tflite.model import operator_name, read_model
    from mcpruner.converter.tflite.pack_by_plan import pack_by_plan

    planned = pack_by_plan(read_model(content))
    model = read_model(content)  # as it is in the file: the other one has packed layers now
    layers = []
    for number, graph in enumerate(model.subgraphs):
        for index, op in enumerate(graph.operators):
            name = operator_name(model, op)
            layer = {
                "name": short_name(graph, op),
                "subgraph": number,
                "operator": name,
                **dict.fromkeys(["weights", "density", "num_patterns", "group_size", "value_type"]),
                "bytes": _constant_bytes(model, graph, op),
            }
            if name in (CONV, FULLY_CONNECTED, TRANSPOSED):
                layer.update(_packed(model, graph, op))
            elif name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"):
                layer.update(_dense(model, graph, op))
            if (number, index) in planned.layers:
                plan = planned.layers[number, index]
                layer |= {"num_patterns": plan.num_patterns, "group_size": plan.group_size, "bytes": plan.stored_bytes}
            layers.append(layer)
    return Description(layers, planned)


def _packed(model: Any, graph: Any, op: Any) -> dict[str, Any]:
    from mcpruner.converter.tflite.densify import read_packed

    layer, options = read_packed(model, graph, op)
    return {
        "weights": [layer.out_channels, *map(int, layer.kernel_size), layer.in_channels // options.groups],
        "density": float(layer.density) * options.groups,
        "num_patterns": len(layer.patterns),
        "group_size": int(layer.group_size),
        "value_type": layer.value_type,
    }


def _dense(model: Any, graph: Any, op: Any) -> dict[str, Any]:
    """Shape, the share that is not zero and how the file stores the values; what is no float constant has no share."""
    import numpy as np

    from mcpruner.converter.tflite.model import producers, type_name
    from mcpruner.converter.tflite.weights import NotConstantError, read_constant

    tensor = graph.tensors[op.inputs[1]]
    shape = [int(size) for size in tensor.shape]
    try:
        weights = read_constant(model, graph, op.inputs[1], producers(graph))
    except NotConstantError:
        return {"weights": shape, "density": None, "value_type": type_name(tensor)}
    density = np.count_nonzero(weights.values) / max(1, weights.values.size)
    return {"weights": shape, "density": density, "value_type": weights.stored_type}


def _constant_bytes(model: Any, graph: Any, op: Any) -> int:
    from mcpruner.converter.tflite.model import constant_bytes

    tensors = {graph.tensors[i].buffer: i for i in op.inputs if i >= 0}  # Each buffer counts once.
    return sum(len(constant_bytes(model, graph, i)) for i in tensors.values())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return "x".join(map(str, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)
