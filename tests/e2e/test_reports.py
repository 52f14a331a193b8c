"""What people reported with TFLite, its delegates, LiteRT, XNNPACK's sparse inference and tfmot: each kind once, right.

A row says in a line what people had, where to read it, the network (`report_models.py`), how many of its layers must be
packed, and how it is used: by default on three backends with one and three threads at each of its sizes, behind a frame
of NaN, against TFLite without the plugin.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import report_models as models
from ai_edge_litert import interpreter as litert
from trial import TOLERANCE, calibration, infer, plain, relative_error, resize

import mcpruner

ONE_STEP = 0.02  # of an int8 tensor, which the last bit of a float32 may move by one

Shapes = Sequence[Sequence[int]]
Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Files:
    """The network, dense and converted."""

    dense: bytes
    packed: bytes


def feed(interpreter: Any, seed: int = 0) -> Arrays:
    """Inputs of the allocated shapes and types: normal floats, small whole numbers."""
    rng = np.random.default_rng(seed)

    def array(detail: dict[str, Any]) -> np.ndarray:
        if detail["dtype"] == np.float32:
            return rng.standard_normal(detail["shape"]).astype(np.float32)
        return rng.integers(0, 50, detail["shape"]).astype(detail["dtype"])

    return [array(detail) for detail in interpreter.get_input_details()]


def check(found: Arrays, wanted: Arrays, tolerance: float = TOLERANCE) -> None:
    """Equal shapes, values equal within the rounding of float32 sums."""
    assert [a.shape for a in found] == [b.shape for b in wanted]
    assert max(map(relative_error, found, wanted)) <= tolerance


def expected(dense: bytes, seed: int = 0, shapes: Shapes | None = None) -> tuple[Arrays, Arrays]:
    """Inputs, and what TFLite makes of them without the plugin."""
    interpreter = plain(dense)
    resize(interpreter, shapes or [detail["shape"] for detail in interpreter.get_input_details()])
    inputs = feed(interpreter, seed)
    return inputs, infer(interpreter, inputs)


def ready(content: bytes, **options: Any) -> mcpruner.Interpreter:
    """An interpreter with the plugin, allocated."""
    interpreter = mcpruner.Interpreter(model_content=content, verbosity=0, **options)
    interpreter.allocate_tensors()
    return interpreter


def compared(*sizes: Shapes, tolerance: float = TOLERANCE) -> Callable[[Files], None]:
    """At each of these sizes of the inputs after one another, by default the file's own."""

    def use(files: Files) -> None:
        results = [expected(files.dense, 0, shapes) for shapes in sizes or (None,)]
        for backend in ("auto", "cpu", "reference"):
            for threads in (1, 3):
                interpreter = ready(files.packed, backend=backend, num_threads=threads)
                for inputs, wanted in results:
                    resize(interpreter, [x.shape for x in inputs])
                    infer(interpreter, [np.full_like(x, np.nan) if x.dtype == np.float32 else x for x in inputs])
                    check(infer(interpreter, inputs), wanted, tolerance)

    return use


def by_signature(files: Files) -> None:
    """Both signatures, by turns, as two runners of one interpreter."""
    with_plugin = mcpruner.Interpreter(model_content=files.packed, num_threads=2)
    runners = [
        [i.get_signature_runner(key) for key in ("encode", "classify")] for i in (with_plugin, plain(files.dense))
    ]
    x = np.random.default_rng(1).standard_normal((1, 9, 9, 16)).astype(np.float32)
    for _ in range(2):
        (encoded, wanted), results = [r[0](x0=x)["y0"] for r in runners], []
        check([encoded], [wanted])
        results = [r[1](x0=wanted)["y0"] for r in runners]
        check(results[:1], results[1:])


def in_threads(files: Files) -> None:
    """Four threads, each with an interpreter of its own, at once."""
    results = [expected(files.dense, seed) for seed in range(4)]
    found: dict[int, Arrays] = {}

    def work(seed: int) -> None:
        interpreter = ready(files.packed, num_threads=2)
        for _ in range(5):
            found[seed] = infer(interpreter, results[seed][0])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, (_, wanted) in enumerate(results):
        check(found[seed], wanted)


def _in_child(packed: bytes, inputs: Arrays, queue: Any) -> None:
    queue.put(infer(ready(packed, num_threads=2), inputs))


def forked(files: Files) -> None:
    """The parent has run the network; a forked child makes an interpreter of its own and runs it."""
    inputs, wanted = expected(files.dense)
    check(infer(ready(files.packed, num_threads=2), inputs), wanted)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(files.packed, inputs, queue))
    child.start()
    check(queue.get(timeout=60), wanted)
    child.join(60)
    assert child.exitcode == 0


def shared_delegate(files: Files) -> None:
    """One delegate object for two interpreters that live together, the first of which goes first."""
    delegate = mcpruner.load_delegate(runtime=litert, num_threads=2)
    pair = [litert.Interpreter(model_content=files.packed, experimental_delegates=[delegate]) for _ in range(2)]
    for seed, interpreter in enumerate(pair):
        interpreter.allocate_tensors()
        inputs, wanted = expected(files.dense, seed)
        check(infer(interpreter, inputs), wanted)
    last = pair.pop()
    pair.clear()
    inputs, wanted = expected(files.dense, 7)
    check(infer(last, inputs), wanted)


def chained(files: Files) -> None:
    """Two delegates in one interpreter: the first takes what it can, the second finds its nodes taken."""
    inputs, wanted = expected(files.dense)
    for first, second in (("auto", "cpu"), ("cpu", "reference")):
        delegates = [mcpruner.load_delegate(runtime=litert, backend=b) for b in (first, second)]
        interpreter = litert.Interpreter(model_content=files.packed, experimental_delegates=delegates)
        interpreter.allocate_tensors()
        check(infer(interpreter, inputs), wanted)


def many_threads(files: Files) -> None:
    """More threads than cores, and more than rows of the image."""
    inputs, wanted = expected(files.dense)
    for threads in (4, 16, 64):
        check(infer(ready(files.packed, num_threads=threads, backend="cpu"), inputs), wanted)


def allocated_again(files: Files) -> None:
    """AllocateTensors before every inference, as pipelines do."""
    interpreter = ready(files.packed, num_threads=2)
    for seed in range(4):
        inputs, wanted = expected(files.dense, seed)
        interpreter.allocate_tensors()
        check(infer(interpreter, inputs), wanted)


def in_place(files: Files) -> None:
    """Inputs written and outputs read through views of the interpreter's memory."""
    interpreter = ready(files.packed)
    ins, outs = (f()[0]["index"] for f in (interpreter.get_input_details, interpreter.get_output_details))
    for seed in range(3):
        inputs, wanted = expected(files.dense, seed)
        interpreter.tensor(ins)()[:] = inputs[0]
        interpreter.invoke()
        check([interpreter.tensor(outs)().copy()], wanted)


def inner_tensors_kept(files: Files) -> None:
    """experimental_preserve_all_tensors, to look at inner tensors: the outputs stay right."""
    inputs, wanted = expected(files.dense)
    check(infer(ready(files.packed, experimental_preserve_all_tensors=True), inputs), wanted)


def without_plugin(files: Files) -> None:
    """A converted file in an app without the plugin: TFLite names the operator that it does not know."""
    interpreter = litert.Interpreter(model_content=files.packed)
    with pytest.raises(RuntimeError, match="unresolved custom op: McprunerSparse"):
        interpreter.allocate_tensors()


def no_frame(files: Files) -> None:
    """A batch of no images: an empty result where TFLite gives one, and the next frame is right."""
    interpreter = ready(files.packed, backend="cpu")
    dense = plain(files.dense)
    for rows in (0, 3):
        for i in (interpreter, dense):
            resize(i, [[rows, 48]])
        inputs = feed(dense)
        check(infer(interpreter, inputs), infer(dense, inputs))


@dataclass(frozen=True)
class Report:
    """One kind."""

    had: str
    build: Callable[[], bytes]
    packed: int
    use: Callable[[Files], None] = compared()


REPORTS = {
    "batch": Report(
        "a batch set by resize_tensor_input, converted for 1 (tensorflow#33014, #37706, #19610)",
        models.classifier, 3, compared([[1, 14, 13, 16]], [[4, 14, 13, 16]], [[2, 14, 13, 16]])),
    "image_size": Report(
        "another image size than at conversion, and back (tensorflow#23399, #33413)",
        models.classifier, 3, compared([[1, 14, 13, 16]], [[1, 33, 7, 16]], [[1, 14, 13, 16]])),
    "one_pixel": Report("an image shrunk to a single pixel", models.classifier, 3, compared([[1, 1, 1, 16]])),
    "open_batch": Report(
        "Flatten of an open batch: a delegate for static sizes refuses the graph (tensorflow#38036)",
        models.flatten_of_open_batch, 2, compared([[1, 6, 5, 16]], [[3, 6, 5, 16]])),
    "while": Report(
        "a WHILE loop in the model (tensorflow#52265, #59630; armnn#773)", models.while_loop, 3),
    "signatures": Report(
        "several signatures, each a subgraph, through signature runners (go-tflite#60)",
        models.two_signatures, 3, by_signature),
    "squeeze_excitation": Report(
        "any delegate crashes on a squeeze-and-excitation block with views (tflite-support#919)",
        models.squeeze_and_excitation, 4),
    "half_weights": Report(
        "float16 weights behind DEQUANTIZE (tensorflow#54559; tvm#7093)", models.half_weights, 2),
    "half_weights_shared": Report(
        "one float16 constant read by two layers (tvm#7736)", lambda: models.half_weights(shared=True), 2),
    "shared_weights": Report("a siamese pair that shares its weights, two inputs", models.shared_weights, 4),
    "int8_part": Report(
        "some layers int8, some pruned float32 (XNNPACK#1419, sparseml#733)",
        models.int8_part, 2, compared(tolerance=ONE_STEP)),
    "int8_weights": Report(
        "dynamic-range quantization of one layer (tfmot#513, tensorflow#55785)",
        models.int8_weights, 2, compared(tolerance=ONE_STEP)),
    "image_bytes": Report("uint8 images, cast inside the model (tensorflow#31762)", models.image_bytes, 1),
    "tokens": Report("token numbers and dense layers on 3 dimensions (tensorflow#43719)", models.token_model, 2),
    "audio": Report(
        "a pruned one-dimensional network for audio (deepsparse#485)", models.one_dimensional, 2),
    "u_net": Report("one RESIZE_BILINEAR stays on the CPU (tensorflow#41485, LiteRT#8598)", models.u_net, 4),
    "tanh_between": Report("TANH, which older plugins left", lambda: models.between("TANH"), 2),
    "sin_between": Report("an unsupported activation parts the graph", lambda: models.between("SIN"), 2),
    "leaky_relu_between": Report(
        "LEAKY_RELU after every layer (YOLO)",
        lambda: models.between("LEAKY_RELU", models.schema.LeakyReluOptionsT(alpha=0.1)), 2),
    "hard_swish_between": Report("HARD_SWISH, MobileNetV3", lambda: models.between("HARD_SWISH"), 2),
    "grouped": Report("grouped convolutions beside pruned ones (ResNeXt)", models.grouped, 2),
    "mobilenet": Report(
        "MobileNet with the stride-2 entry of XNNPACK's sparse inference (tfmot#735, #837; XNNPACK#1920)",
        models.separable, 3),
    "depth_multiplier": Report("a depth multiplier of 2", lambda: models.separable(2), 3),
    "dead_layer": Report(
        "pruned at a high rate, whole layers and filters are zero (PocketFlow#262)", models.dead_layer, 2),
    "densify": Report(
        "tfmot's sparse tensors behind DENSIFY, which other runtimes lack (tflite-micro#491, mediapipe#1768)",
        models.densified, 1),
    "several_outputs": Report(
        "inner tensors as outputs, one twice, an input given back", models.several_outputs, 2),
    "detector": Report("heads on two scales, reshaped and joined (SSD; tfmot#611)", models.detector, 4),
    "unread": Report("an input and a layer that nobody reads", models.unread, 2),
    "both_broadcast": Report("attention: both sides of MUL are broadcast", models.computed_broadcast, 3,
        compared([[1, 8, 8, 16]], [[2, 5, 9, 16]])),
    "threads": Report(
        "an interpreter for each of several threads (tensorflow#54282, #26365)", models.classifier, 3, in_threads),
    "fork": Report(
        "multiprocessing by fork hangs in a lock (tensorflow#49266, #48349)", models.classifier, 3, forked),
    "shared_delegate": Report(
        "one delegate for two interpreters (tensorflow#94274)", models.classifier, 3, shared_delegate),
    "chained": Report(
        "a second delegate behind the first (tensorflow#42757, #47617)", models.u_net, 4, chained),
    "many_threads": Report("more threads than cores (tensorflow#57101)", models.classifier, 3, many_threads),
    "allocated_again": Report(
        "AllocateTensors before each inference (nnstreamer#3813)", models.classifier, 3, allocated_again),
    "in_place": Report("buffers read and written in place (nnstreamer#3577)", models.classifier, 3, in_place),
    "inner_tensors_kept": Report("all tensors preserved, to debug", models.separable, 3, inner_tensors_kept),
    "without_plugin": Report(
        "a custom operator that the app cannot resolve (larq#800)", models.classifier, 3, without_plugin),
    "empty": Report("a batch of no rows", models.densified, 1, no_frame),
}  # fmt: skip


@pytest.mark.parametrize("name", REPORTS)
def test_report(name: str) -> None:
    report = REPORTS[name]
    dense = report.build()
    packed, summary = mcpruner.convert(dense, target="x86-64", calibration=calibration("multiply_adds"))
    assert sum(layer.accelerated for layer in summary.layers) == report.packed, summary.table()
    report.use(Files(dense, packed))


def test_each_row_says_what_people_had() -> None:
    assert len(REPORTS) > 35
    assert all(0 < len(report.had) < 110 for report in REPORTS.values())
