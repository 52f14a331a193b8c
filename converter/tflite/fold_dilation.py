"""Write a dilated convolution as one: TensorFlow spreads the image over a batch, and converters may leave it so.

    x ─ SPACE_TO_BATCH_ND(d, pads) ─ CONV_2D(VALID) ─ BATCH_TO_SPACE_ND(d, crops)   ->   x ─ CONV_2D(SAME, dilation d)

    d = 2    image 0 of the batch has the pixels 0 2 4 ..., image 1 those between, so that neighbours are 2 apart

DEPTHWISE_CONV_2D likewise. The sums are the same; pads that a dilated convolution has no name for are left.
"""

from typing import Any

from mcpruner.converter.tflite.model import operator_code, operator_name, producers, schema, use_counts
from mcpruner.converter.tflite.sizes import KnownSizes

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_DEPTHWISE_VERSION = 2  # The first one that has dilations.


def fold_dilation(model: Any, graph: Any, known: KnownSizes) -> None:
    """Let each such convolution read the image and write the image, in place, as `fold` does."""
    writers, uses, gone = producers(graph), use_counts(graph), []
    for last in graph.operators:
        if operator_name(model, last) != "BATCH_TO_SPACE_ND" or len(last.inputs) != 3:
            continue
        conv = writers.get(last.inputs[0])
        first = writers.get(conv.inputs[0]) if conv is not None and len(conv.inputs) > 1 else None
        if first is None or any(uses[op.outputs[0]] != 1 for op in (first, conv)):
            continue
        padding = _padding(model, graph, known, (first, conv, last))
        if padding is not None:
            _dilate(model, conv, known.numbers(last.inputs[1]), padding)
            conv.inputs = [first.inputs[0], *conv.inputs[1:]]
            conv.outputs = list(last.outputs)
            gone += [first, last]
    graph.operators = [op for op in graph.operators if all(op is not each for each in gone)]


def _padding(model: Any, graph: Any, known: KnownSizes, chain: tuple[Any, Any, Any]) -> int | None:
    """The padding of the dilated convolution that a chain is; None if it is none."""
    first, conv, last = chain
    if operator_name(model, first) != "SPACE_TO_BATCH_ND" or len(first.inputs) != 3:
        return None
    if operator_name(model, conv) not in _CONVOLUTIONS or known.rank(first.inputs[0]) != 4:
        return None
    options, kernel = conv.builtinOptions, list(graph.tensors[conv.inputs[1]].shape)
    blocks, pads = known.numbers(first.inputs[1]), known.numbers(first.inputs[2])
    crops = known.numbers(last.inputs[2])
    if options is None or not _is_plain(options) or None in (blocks, pads, crops) or len(kernel) != 4:
        return None
    if known.numbers(last.inputs[1]) != blocks or [len(blocks), len(pads), len(crops)] != [2, 4, 4] or min(blocks) < 1:
        return None
    amounts = [pad - crop for pad, crop in zip(pads, crops, strict=True)]
    spread = [(size - 1) * block for size, block in zip(kernel[1:3], blocks, strict=True)]
    if not any(amounts):
        return schema.Padding.VALID
    same = [part for total in spread for part in (total // 2, total - total // 2)]
    return schema.Padding.SAME if amounts == same else None


def _is_plain(options: Any) -> bool:
    """Whether a convolution has neither padding nor strides nor dilations."""
    steps = (options.strideH, options.strideW, options.dilationHFactor, options.dilationWFactor)
    return options.padding == schema.Padding.VALID and steps == (1, 1, 1, 1)


def _dilate(model: Any, conv: Any, blocks: list[int], padding: int) -> None:
    """Give a convolution dilations and a padding."""
    conv.builtinOptions.dilationHFactor, conv.builtinOptions.dilationWFactor = blocks
    conv.builtinOptions.padding = padding
    code = model.operatorCodes[conv.opcodeIndex]
    if code.version < _DEPTHWISE_VERSION and operator_name(model, conv) == "DEPTHWISE_CONV_2D":
        conv.opcodeIndex = operator_code(model, schema.BuiltinOperator.DEPTHWISE_CONV_2D, version=_DEPTHWISE_VERSION)
