"""Equal constants are stored once."""

import numpy as np
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.tflite.model import read_model, schema, write_model
from mcpruner.converter.tflite.share_constants import share_constants


def test_equal_constants_share_a_buffer_and_the_others_keep_theirs() -> None:
    rng, net = np.random.default_rng(0), TfliteBuilder()
    first, other = (rng.standard_normal((8, 8)).astype(np.float32) for _ in range(2))
    x = net.input((1, 8))
    for weights in (first, other, first.copy()):
        x = net.fully_connected(x, weights)
    content = net.build([x])
    model = read_model(content)
    share_constants(model)
    buffers = [op.inputs[1] for op in model.subgraphs[0].operators]
    numbers = [model.subgraphs[0].tensors[tensor].buffer for tensor in buffers]
    assert numbers[0] == numbers[2] != numbers[1]
    shared, image = write_model(model), rng.standard_normal((1, 8)).astype(np.float32)
    assert len(write_model(read_model(content))) - len(shared) >= first.nbytes
    np.testing.assert_array_equal(run(shared, image)[0], run(content, image)[0])


def test_metadata_keeps_its_bytes() -> None:
    net = TfliteBuilder()
    y = net.add(net.input((1, 4)), net.constant(np.ones(4, np.float32)))
    model = read_model(net.build([y]))
    constant = next(tensor for tensor in model.subgraphs[0].tensors if tensor.buffer)
    model.buffers.append(schema.BufferT(data=model.buffers[constant.buffer].data.copy()))
    model.metadata.append(schema.MetadataT(name=b"ones", buffer=len(model.buffers) - 1))
    share_constants(model)
    assert all(len(model.buffers[number].data) == 16 for number in (constant.buffer, len(model.buffers) - 1))
