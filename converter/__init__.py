"""From a Keras model to a ``.tflite`` whose pruned layers are packed: pure Python and NumPy, no native code.

A file at the top is a way in, `convert` and `source`, or ground that every room stands on: `options`,
`target`, `bisection`, `progress`, `whole_file`. The rest lies in rooms; the docstring of each says what it may import:

    mask           what a weight is worth        -> which weights are kept: filter groups, patterns, connectivity
    training       Keras model                   -> pruned in one shot or while it trains, then plain again
    post_training  Keras model, images           -> pruned without training
    allocation     Keras model, a goal           -> a density for each layer
    cost           work of a layer               -> nanoseconds, packed or dense; the group size to pack it with
    format         weights of a layer            -> bytes, and back
    tflite         .tflite                       -> .tflite, its layers packed, with a report

Converting, in the order in which `convert.convert` does it::

    source               model, file or bytes          -> dense .tflite
    tflite.model         .tflite                       -> tables, checked
    tflite.weights       constants of a layer          -> float32 array (float16, DENSIFY and sparse tensors expanded)
    cost.estimate        weights, costs                -> group_size, permutation, predicted speed-up (cost_model)
    tflite.decide        operators with weights        -> which to pack, if the model is faster then
    format.pack          weights, group_size           -> SparseLayer
    format.value_type    weights, values               -> float32, float16 or int8: what rounding may change
    format.serialize     SparseLayer                   -> MCP1 blob (format/sparse_pattern.fbs)
    tflite.fold          shapes, copies, constants     -> what is known before the model runs
    tflite.rewrite       operators with weights        -> custom operators, then what nobody reads is dropped
    tflite.portable      custom operators              -> builtin ones and a plan, for the formats portable and dense
    tflite.pack_by_plan  builtin operators, a plan     -> custom operators, without a search
    tflite.describe      what was decided and done     -> a line of the report for each layer, and why
"""

from mcpruner.converter import old_paths

old_paths.install()
