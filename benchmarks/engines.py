"""The engines that are compared, each as two functions of a loaded model: run it once, and hand out what came.

Every engine computes in float32 and is given its input before anything is timed, so that a timed run is the network
and nothing else. Imports stand inside the functions: no environment has all engines.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

# (model, threads, input NCHW) -> (name and version, run once, output)
Loaded = tuple[str, Callable[[], object], Callable[[], np.ndarray]]


def _tflite(plugin: bool) -> Callable[[Path, int, np.ndarray], Loaded]:
    def load(model: Path, threads: int, x: np.ndarray) -> Loaded:
        from mcpruner.compare import run
        from mcpruner.runtime import Interpreter, find_runtime

        runtime = find_runtime()
        make = Interpreter if plugin else runtime.interpreter
        interpreter = make(model_path=str(model), num_threads=threads)
        run(interpreter, [np.ascontiguousarray(x.transpose(0, 2, 3, 1))])
        index = interpreter.get_output_details()[0]["index"]
        return f"{runtime.name} {runtime.version}", interpreter.invoke, lambda: interpreter.get_tensor(index)

    return load


def _onnxruntime(model: Path, threads: int, x: np.ndarray) -> Loaded:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input(session.get_inputs()[0].name, x)
    binding.bind_output(session.get_outputs()[0].name)
    return (
        f"onnxruntime {onnxruntime.__version__}",
        lambda: session.run_with_iobinding(binding),
        lambda: binding.copy_outputs_to_cpu()[0],
    )


def _openvino(model: Path, threads: int, x: np.ndarray) -> Loaded:
    import openvino

    options = {
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",  # some processors would get bfloat16
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    request.set_input_tensor(openvino.Tensor(x))
    version = openvino.get_version().split("-")[0]
    return f"openvino {version}", request.infer, lambda: request.get_output_tensor().data


def _ncnn(model: Path, threads: int, x: np.ndarray) -> Loaded:
    import ncnn
    from ncnn_model import INPUT, OUTPUT

    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_vulkan_compute = False
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed", "use_bf16_storage"):
        setattr(net.opt, option, False)
    if net.load_param(str(model)) or net.load_model(str(model.with_suffix(".bin"))):
        raise RuntimeError(f"ncnn cannot load {model.name}")
    image, last = ncnn.Mat(x[0]).clone(), []  # the first borrows from the array and does not hold it

    def run() -> None:
        extractor = net.create_extractor()
        extractor.input(INPUT, image)
        status, output = extractor.extract(OUTPUT)
        if status:
            raise RuntimeError(f"ncnn: extract returned {status}")
        last[:] = [output]

    return f"ncnn {ncnn.__version__}", run, lambda: np.array(last[0])


def _mnn(model: Path, threads: int, x: np.ndarray) -> Loaded:
    import MNN

    interpreter = MNN.Interpreter(str(model))
    session = interpreter.createSession({"backend": "CPU", "numThread": threads, "precision": "normal"})
    source = interpreter.getSessionInput(session)
    kind = MNN.Tensor_DimensionType_Caffe
    source.copyFrom(MNN.Tensor(x.shape, MNN.Halide_Type_Float, x, kind))
    made = interpreter.getSessionOutput(session)

    def output() -> np.ndarray:
        host = MNN.Tensor(made.getShape(), MNN.Halide_Type_Float, np.zeros(made.getShape(), np.float32), kind)
        made.copyToHostTensor(host)
        return np.array(host.getNumpyData())

    return f"MNN {MNN.version()}", lambda: interpreter.runSession(session), output


ENGINES: dict[str, Callable[[Path, int, np.ndarray], Loaded]] = {
    "mcpruner": _tflite(plugin=True),
    "litert": _tflite(plugin=False),
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
    "ncnn": _ncnn,
    "mnn": _mnn,
    "mnn_sparse": _mnn,
}
