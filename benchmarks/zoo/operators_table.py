"""The tables of docs/models.md that name every builtin operator of TFLite: what the plugin does with it, and why.

`format/operators.inc` decides which operators are taken. What is said of them here is prose; that each operator of
TFLite's schema is in exactly one place is checked when the tables are made.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tables import markdown
from workloads import ROOT

NAMES = ROOT / "delegate/tflite/abi/builtin_names.inc"
TAKEN = ROOT / "format/operators.inc"

_VECTORS, _ROWS, _LOOPS = "vectors", "rows are copied", "plain loops"
_SHAPE = "a shape, list or axis is computed"
_STORE = "RELU, RELU6, RELU_N1_TO_1 behind it"
# On the backend cpu (delegate/graph/passes/fold_epilogues.h).
_EPILOGUE = "done to the pixels that a convolution, ADD, MUL or the like just made"

# Operator: how the cpu backend runs it, what becomes part of it, and where it is left to TFLite all the same.
_ABOUT = {
    "CONV_2D": (
        "vectors, zeros are skipped",
        f"PAD before it; ADD, {_STORE}",
        "weights are computed or not float; beyond the limits of format/limits.inc",
    ),
    "DEPTHWISE_CONV_2D": (_VECTORS, f"PAD before it; {_STORE}", "weights are computed or not float"),
    "FULLY_CONNECTED": (
        "vectors, zeros are skipped; over a map as a 1x1 convolution",
        _STORE,
        "weights are computed, not float, or shuffled for int8",
    ),
    "TRANSPOSE_CONV": ("a convolution that makes blocks of pixels", _STORE, "its output shape is computed"),
    **dict.fromkeys(("ADD", "SUB", "MUL", "DIV"), (_VECTORS, _STORE, "both inputs are constants")),
    **dict.fromkeys(("MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE"), (_VECTORS, "", "both inputs are constants")),
    "POW": (_VECTORS, "", "the exponent is not 2, 0.5 or -0.5"),
    "PRELU": (_VECTORS, f"with an alpha for each channel {_EPILOGUE}", ""),
    **dict.fromkeys(("RELU", "RELU6", "RELU_N1_TO_1"), (_VECTORS, "becomes part of what is before it", "")),
    **dict.fromkeys(("LEAKY_RELU", "HARD_SWISH", "ELU", "GELU", "ABS", "NEG"), (_VECTORS, _EPILOGUE, "")),
    **dict.fromkeys(("SQUARE", "SQRT", "EXP", "LOG", "TANH"), (_VECTORS, _EPILOGUE, "")),
    "RSQRT": (_VECTORS, f"{_EPILOGUE}; the norms are one op: LayerNorm, GroupNorm, InstanceNorm", ""),
    "LOGISTIC": (_VECTORS, f"{_EPILOGUE}; x LOGISTIC(x) is one function, and so is Mish", ""),
    "SOFTMAX": (_LOOPS, "", ""),
    "MAX_POOL_2D": (_VECTORS, f"PAD before it, behind a RELU; {_STORE}", ""),
    "AVERAGE_POOL_2D": (_VECTORS, _STORE, ""),
    **dict.fromkeys(
        ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"),
        (_VECTORS, "", "the new size is computed, or it has both align_corners and half_pixel_centers"),
    ),
    "DEPTH_TO_SPACE": (_VECTORS, _STORE, ""),
    "SPACE_TO_DEPTH": (_VECTORS, "", ""),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), (_VECTORS, "", _SHAPE)),
    "L2_NORMALIZATION": (_VECTORS, "", ""),
    **dict.fromkeys(("PAD", "PADV2"), (_ROWS, "zeros become part of a convolution", _SHAPE)),
    "MIRROR_PAD": (_ROWS, "", _SHAPE),
    "CONCATENATION": (_ROWS, "", "it has a fused activation"),
    "RESHAPE": (_LOOPS, "nothing is done where memory stays as it is", _SHAPE),
    **dict.fromkeys(("SQUEEZE", "EXPAND_DIMS"), ("nothing is done", "", _SHAPE)),
    "STRIDED_SLICE": (_ROWS, "", f"{_SHAPE}; it has two ellipses, or an axis that is new and removed"),
    **dict.fromkeys(("SLICE", "SPLIT", "SPLIT_V"), (_ROWS, "", _SHAPE)),
    **dict.fromkeys(("PACK", "UNPACK"), (_ROWS, "", "")),
    "GATHER": (_ROWS, "", "indices are computed, differ from batch to batch or are more than 64 runs of equal steps"),
    "TRANSPOSE": (_VECTORS, "RESHAPE, TRANSPOSE, RESHAPE that shuffle channels are one op", _SHAPE),
}

# Reason: the operators that are left for it, each a pattern over whole names.
_LEFT = {
    "Its constants are read where they stand, and `convert` makes them float32 or packs them; computed ones stay": (
        "DEQUANTIZE DENSIFY"
    ),
    "`convert` replaces it: nearest upsampling by RESIZE_NEAREST_NEIGHBOR, computed shapes by constants, images spread "
    "over a batch by dilated convolutions": "TILE SHAPE BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND",
    "It computes integers, booleans or types, of which tensors the plugin has none": (
        "CAST ARG_MAX ARG_MIN LESS LESS_EQUAL GREATER GREATER_EQUAL EQUAL NOT_EQUAL LOGICAL_.* ONE_HOT RANGE RANK "
        "REDUCE_ANY REDUCE_ALL TOPK_V2 WHERE UNIQUE BITCAST BITWISE_XOR RIGHT_SHIFT BUCKETIZE BROADCAST_ARGS "
        "QUANTIZE FAKE_QUANT ZEROS_LIKE FILL"
    ),
    "It keeps state or calls another subgraph": (
        "LSTM RNN SVDF UNIDIRECTIONAL_.* BIDIRECTIONAL_.* CALL CALL_ONCE IF WHILE CUSTOM DELEGATE "
        "VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE STABLEHLO_COMPOSITE STABLEHLO_CUSTOM_CALL"
    ),
    "It looks things up, sorts, selects or draws random numbers": (
        "EMBEDDING_LOOKUP.* HASHTABLE.* LSH_PROJECTION CONCAT_EMBEDDINGS SKIP_GRAM GATHER_ND SCATTER_ND SELECT "
        "SELECT_V2 NON_MAX_SUPPRESSION_.* SPARSE_TO_DENSE RANDOM_.* MULTINOMIAL .*SEGMENT_.* REVERSE_SEQUENCE "
        "REVERSE_V2 DYNAMIC_UPDATE_SLICE MATRIX_DIAG MATRIX_SET_DIAG CUMSUM"
    ),
    "No network of the zoo has it between packed layers": (
        "BATCH_MATMUL L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION "
        "LOG_SOFTMAX FLOOR CEIL ROUND SIGN SIN COS ATAN2 RELU_0_TO_1 FLOOR_DIV FLOOR_MOD REDUCE_PROD ADD_N "
        "BROADCAST_TO CONV_3D CONV_3D_TRANSPOSE RFFT2D IMAG REAL COMPLEX_ABS DILATE REDUCE_WINDOW"
    ),
    "It is StableHLO's, or no operator": "STABLEHLO_.* PLACEHOLDER_FOR_GREATER_OP_CODES",
}


def taken_names() -> list[str]:
    """The operators that the plugin takes, in the order of `format/operators.inc`."""
    return re.findall(r"^MCPRUNER_OPERATOR\((\w+),", TAKEN.read_text(), re.MULTILINE)


def builtin_names() -> list[str]:
    """All builtin operators, in the order of TFLite's schema."""
    return re.findall(r'"(\w+)"', NAMES.read_text())


def taken() -> str:
    """A row for each operator that the plugin takes.

    Raises
    ------
    ValueError
        Nothing is said of an operator, or something of one that is not taken.
    """
    names = taken_names()
    if set(names) != set(_ABOUT):
        raise ValueError(f"Expected a row for each taken operator, got a difference: {set(names) ^ set(_ABOUT)}.")
    rows = [[name, *_ABOUT[name]] for name in sorted(names)]
    return markdown(["operator", "cpu", "with its neighbours", "left to TFLite where"], rows)


def untaken() -> str:
    """A row for each reason for which operators are left to TFLite.

    Raises
    ------
    ValueError
        An operator has no reason.
    """
    left = [name for name in builtin_names() if name not in taken_names()]
    rows = []
    for reason, patterns in _LEFT.items():
        found = sorted(name for name in left if re.fullmatch(patterns.replace(" ", "|"), name))
        left = [name for name in left if name not in found]
        rows.append([reason, ", ".join(found)])
    if left:
        raise ValueError(f"Expected a reason for each operator that is left to TFLite, got none for {left}.")
    return markdown(["why", "operators"], rows)
