"""What packing a pruned file while it is loaded costs, and gains: ``python benchmarks/pack_at_load.py``.

ResNet-50 with random weights, 20 % of which are kept, anywhere or in groups of four filters: never packed, packed at
load, and converted before, in turns on one thread. Times are the processor's, the least of a few.
"""

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tables import markdown
from workloads import TARGET

import mcpruner
from mcpruner.converter.tflite.model import constant_array, operator_name, read_model, schema, write_model

KEPT, TURNS, INFERENCES = 0.2, 5, 3
Mask = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def anywhere(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Mask without any order."""
    return rng.random(shape) < KEPT


def in_fours(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Mask whose neighbouring filters agree, four at a time."""
    groups = anywhere(rng, (-(-shape[0] // 4), *shape[1:]))
    return np.repeat(groups, 4, axis=0)[: shape[0]]


def prune(content: bytes, mask: Mask) -> bytes:
    """Set weights of all convolutions and fully-connected layers to zero."""
    model, rng = read_model(content), np.random.default_rng(0)
    for graph in model.subgraphs:
        for op in graph.operators:
            if operator_name(model, op) not in ("CONV_2D", "FULLY_CONNECTED"):
                continue
            weights = constant_array(model, graph, op.inputs[1], {schema.TensorType.FLOAT32: np.float32})
            kept = weights * mask(rng, weights.shape)
            buffer = graph.tensors[op.inputs[1]].buffer
            model.buffers[buffer] = schema.BufferT(data=np.frombuffer(kept.tobytes(), np.uint8))
    return write_model(model)


def load(content: bytes, pack: str) -> Any:
    """Interpreter that is ready to run."""
    interpreter = mcpruner.Interpreter(model_content=content, num_threads=1, pack=pack, verbosity=0)
    interpreter.allocate_tensors()
    return interpreter


def milliseconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor's time, and what came of it."""
    begin = time.process_time()
    result = work()
    return (time.process_time() - begin) * 1e3, result


def main() -> None:
    """Print a row for each file and way."""
    model = keras.applications.ResNet50(weights=None)
    image = keras.Input((224, 224, 3), batch_size=1)
    dense = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, model(image))).convert()
    cases = [("no zeros", "never", dense), ("no zeros", "auto", dense)]
    for name, mask in (("20 % anywhere", anywhere), ("20 % in groups of four", in_fours)):
        pruned = prune(dense, mask)
        converted, _ = mcpruner.convert(pruned, target=TARGET)
        cases += [(name, "never", pruned), (name, "auto", pruned), (f"{name}, converted", "auto", converted)]
    best = np.full((len(cases), 2), np.inf)
    for _ in range(TURNS):
        for k, (_, pack, content) in enumerate(cases):
            loading, interpreter = milliseconds(lambda content=content, pack=pack: load(content, pack))
            running = min(milliseconds(interpreter.invoke)[0] for _ in range(1 + INFERENCES))
            best[k] = np.minimum(best[k], (loading, running))
    rows = [[name, pack, *(f"{x:.1f}" for x in times)] for (name, pack, _), times in zip(cases, best, strict=True)]
    print(markdown(["file", "pack", "load, ms", "inference, ms"], rows))


if __name__ == "__main__":
    main()
