"""What a file with builtin operators alone keeps of its conversion, to bytes and back (`format/model_plan.fbs`).

    LayerPlan for each layer ── serialize_plan ──> buffer of the model's metadata ── deserialize_plan ──> ModelPlan

A plan holds what was searched for; `pack` and `serialize` make the layer's blob of it and of the weights again.
"""

from dataclasses import dataclass, replace
from typing import Any

import flatbuffers
import numpy as np

from mcpruner.converter.format import model_plan_generated as schema
from mcpruner.converter.format.check_layer import expect
from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.pack import GROUP_SIZES, pack, unpack
from mcpruner.converter.format.serialize import VALUE_TYPES, deserialize, serialize

VERSION = 1
IDENTIFIER = b"MCPP"
FORMATS = ("portable", "dense")


@dataclass(frozen=True)
class LayerPlan:
    """How one layer is packed; the fields of `LayerPlan` in the schema.

    Attributes
    ----------
    key
        `weights_key` of the layer.
    group_size
        Filters per group.
    permutation
        uint16 ``[O]``: ``permutation[packed] = original``; None for the identity.
    value_type
        ``"float32"``, ``"float16"`` or ``"int8"``: how a blob stores the values.
    scales
        float32 ``[O]`` by packed filter where that is int8, else None.
    zero_bias
        Whether the blob has no bias, and the file zeros.
    """

    key: int
    group_size: int
    permutation: np.ndarray | None
    value_type: str
    scales: np.ndarray | None = None
    zero_bias: bool = False

    @classmethod
    def of(cls, layer: SparseLayer, key: int, zero_bias: bool) -> "LayerPlan":
        """The plan by which a packed layer is made again."""
        identity = np.array_equal(layer.permutation, np.arange(layer.out_channels))
        permutation = None if identity else layer.permutation
        return cls(key, int(layer.group_size), permutation, layer.value_type, layer.scales, zero_bias)

    def same_as(self, other: "LayerPlan") -> bool:
        """Whether both say the same of the same weights."""
        arrays = ((self.permutation, other.permutation), (self.scales, other.scales))
        rest = (replace(each, permutation=None, scales=None) for each in (self, other))
        return next(rest) == next(rest) and all(
            (a is None) == (b is None) and (a is None or np.array_equal(a, b)) for a, b in arrays
        )

    def make_blob(self, weights: np.ndarray, bias: np.ndarray | None, kind: str) -> tuple[bytes, SparseLayer]:
        """Pack weights as the plan says.

        Parameters
        ----------
        weights
            float32 ``[O, H, W, I]``, for all input channels.
        bias
            float32 ``[O]`` or None.
        kind
            ``"Conv2D"``, ``"FullyConnected"`` or ``"TransposeConv2D"``.

        Returns
        -------
        bytes
            The blob, in which the weights are to the bit.
        SparseLayer
            The layer in it.

        Raises
        ------
        ValueError
            The plan does not fit the layer; the message is a clause.
        """
        permutation = np.arange(len(weights)) if self.permutation is None else self.permutation
        bias = None if self.zero_bias and bias is not None and not bias.any() else bias
        layer = pack(weights, permutation, self.group_size, bias, kind)
        if self.scales is not None and len(self.scales) != len(weights):
            raise ValueError(f"expected {len(weights)} scales, got {len(self.scales)}")
        layer.scales = self.scales
        blob = serialize(layer, self.value_type)
        read = deserialize(blob)
        if not np.array_equal(unpack(read), weights):
            raise ValueError(f"expected weights that {self.value_type} values stand for, got others")
        return blob, read


@dataclass(frozen=True)
class ModelPlan:
    """The plans of a model; the fields of `ModelPlan` in the schema.

    Attributes
    ----------
    file_format
        ``"portable"`` or ``"dense"``.
    layers
        In the order of execution.
    min_runtime_version
        What the packed file's metadata of that name said; None where it had none.
    """

    file_format: str
    layers: tuple[LayerPlan, ...]
    min_runtime_version: str | None = None

    def by_key(self) -> dict[int, list[LayerPlan]]:
        """The plans of each key, in order."""
        found: dict[int, list[LayerPlan]] = {}
        for layer in self.layers:
            found.setdefault(layer.key, []).append(layer)
        return found


def serialize_plan(plan: ModelPlan) -> bytes:
    """Write a model's plans; of layers with equal weights and equal plans it keeps one."""
    builder = flatbuffers.Builder(4096)
    layers = [_write_layer(builder, layer) for of_key in _without_copies(plan) for layer in of_key]
    schema.ModelPlanStartLayersVector(builder, len(layers))
    for layer in reversed(layers):
        builder.PrependUOffsetTRelative(layer)
    vector = builder.EndVector()
    version = None if plan.min_runtime_version is None else builder.CreateString(plan.min_runtime_version)
    schema.ModelPlanStart(builder)
    schema.ModelPlanAddVersion(builder, VERSION)
    schema.ModelPlanAddFormat(builder, FORMATS.index(plan.file_format))
    schema.ModelPlanAddLayers(builder, vector)
    if version is not None:
        schema.ModelPlanAddMinRuntimeVersion(builder, version)
    builder.Finish(schema.ModelPlanEnd(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def _without_copies(plan: ModelPlan) -> list[list[LayerPlan]]:
    return [of[:1] if all(of[0].same_as(other) for other in of) else of for of in plan.by_key().values()]


def _write_layer(builder: flatbuffers.Builder, layer: LayerPlan) -> int:
    permutation = None if layer.permutation is None else builder.CreateNumpyVector(layer.permutation.astype("<u2"))
    scales = None if layer.scales is None else builder.CreateNumpyVector(layer.scales.astype("<f4"))
    schema.LayerPlanStart(builder)
    schema.LayerPlanAddKey(builder, layer.key)
    schema.LayerPlanAddGroupSize(builder, layer.group_size)
    schema.LayerPlanAddValueType(builder, VALUE_TYPES.index(layer.value_type))
    schema.LayerPlanAddZeroBias(builder, layer.zero_bias)
    if permutation is not None:
        schema.LayerPlanAddPermutation(builder, permutation)
    if scales is not None:
        schema.LayerPlanAddScales(builder, scales)
    return schema.LayerPlanEnd(builder)


def deserialize_plan(data: bytes) -> ModelPlan:
    """Read a model's plans, without those that no layer could have.

    Raises
    ------
    ValueError
        One sentence: they are damaged, or of a version that this reader does not know.
    """
    expect(len(data) >= 8 and bytes(data[4:8]) == IDENTIFIER, "plans begin with MCPP", repr(bytes(data[4:8])))
    try:
        table = schema.ModelPlan.GetRootAs(bytearray(data), 0)
        version, number = table.Version(), table.Format()
        layers = [_read_layer(table.Layers(i)) for i in range(table.LayersLength())] if version == VERSION else []
        name = table.MinRuntimeVersion()
        runtime = None if name is None else name.decode()
    except Exception as error:  # whatever damaged offsets lead to
        raise ValueError("expected the plans of a model, got damaged bytes; convert the model again") from error
    expect(version == VERSION, f"plans are of version {VERSION}", version, "update mcpruner")
    expect(number < len(FORMATS), f"the format is below {len(FORMATS)}", number)
    return ModelPlan(FORMATS[number], tuple(layer for layer in layers if layer is not None), runtime)


def _read_layer(table: schema.LayerPlan) -> LayerPlan | None:
    """One plan; None where it can be that of no layer."""
    arrays: dict[str, Any] = {"Permutation": table.PermutationAsNumpy(), "Scales": table.ScalesAsNumpy()}
    permutation, scales = (None if isinstance(array, int) else array for array in arrays.values())
    if table.GroupSize() not in GROUP_SIZES or table.ValueType() >= len(VALUE_TYPES):
        return None
    value_type = VALUE_TYPES[table.ValueType()]
    if (scales is not None) != (value_type == "int8"):
        return None
    return LayerPlan(table.Key(), table.GroupSize(), permutation, value_type, scales, table.ZeroBias())
