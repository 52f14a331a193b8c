"""From a Keras model to a ``.tflite`` whose pruned layers are packed: pure Python and NumPy, no native code.

Pruning: `mask` scores and chooses, `pattern` fits the mask to a library of patterns, `prune` and `callback` apply it to
a Keras model.

Converting, in the order in which `convert.convert` does it::

    source          model, file or bytes          -> dense .tflite
    tflite_model    .tflite                       -> tables, checked
    weights         constants of a layer          -> float32 array (float16, DENSIFY and sparse tensors expanded)
    estimate        weights, costs                -> group_size, permutation, predicted speed-up (cost_model)
    layer_plan      operators of a subgraph       -> which to pack, if the model is faster then
    pack            weights, group_size           -> SparseLayer
    value_type      weights, values               -> float32, float16 or int8: what rounding may change
    serialize       SparseLayer                   -> MCP1 blob (format/sparse_pattern.fbs)
    tflite_rewrite  CONV_2D, FULLY_CONNECTED      -> custom operators, then what nobody reads is dropped
    report          what happened to each layer, and why
"""
