"""The plugin in a Python TFLite runtime.

Three packages carry the same interpreter: ``ai_edge_litert`` (LiteRT, the current one), ``tensorflow`` (``tf.lite``)
and ``tflite_runtime`` (the old small wheel). The plugin runs in each; the first that is installed is used.
"""

import importlib
import importlib.util
import json
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

_PLUGIN = "libmcpruner_delegate.so"
_RUNTIMES = ("ai_edge_litert.interpreter", "tensorflow", "tflite_runtime.interpreter")


@dataclass(frozen=True)
class Runtime:
    """One TFLite runtime: its name and version, its interpreter class and its plugin loader."""

    name: str
    version: str
    interpreter: Any
    load_delegate: Any


def find_runtime(module: ModuleType | None = None) -> Runtime:
    """The TFLite runtime to use.

    Parameters
    ----------
    module
        One to insist on: ``ai_edge_litert.interpreter``, ``tensorflow``, ``tf.lite`` or ``tflite_runtime.interpreter``.
        By default the first of them that is installed.

    Raises
    ------
    ImportError
        None is installed.
    TypeError
        `module` is not a TFLite runtime.
    """
    if module is not None:
        return _describe(module)
    for name in _RUNTIMES:
        try:
            return _describe(importlib.import_module(name))
        except ModuleNotFoundError as error:
            if error.name != name and not name.startswith(f"{error.name}."):
                raise  # installed, but broken: its own message says what is missing
    raise ImportError(
        "mcpruner needs a TFLite runtime and found none: install ai-edge-litert (or tensorflow, or tflite-runtime)."
    )


def installed_runtimes() -> list[str]:
    """Name and version of every TFLite runtime of this Python, in order of preference; none is imported."""
    packages = [name.split(".")[0] for name in _RUNTIMES]
    return [f"{package} {_version(package)}" for package in packages if importlib.util.find_spec(package)]


def _describe(module: ModuleType) -> Runtime:
    lite = getattr(module, "lite", module)
    loader = getattr(lite, "load_delegate", None) or getattr(getattr(lite, "experimental", None), "load_delegate", None)
    if loader is None or not hasattr(lite, "Interpreter"):
        raise TypeError(
            f"runtime must be a module with a TFLite Interpreter and load_delegate, such as ai_edge_litert.interpreter "
            f"or tensorflow.lite; {getattr(module, '__name__', module)!r} has none."
        )
    package = lite.Interpreter.__module__.split(".")[0]
    return Runtime(package, _version(package), lite.Interpreter, loader)


def _version(package: str) -> str:
    try:
        return metadata.version(package.replace("_", "-"))
    except metadata.PackageNotFoundError:
        return "unknown"


def delegate_path() -> str:
    """Path of the packaged plugin, a TFLite external delegate for any loader (Python, C++, `benchmark_model`).

    Raises
    ------
    FileNotFoundError
        The plugin was not built into this installation.
    """
    path = Path(__file__).resolve().parent / _PLUGIN
    if not path.is_file():
        raise FileNotFoundError(
            f"The mcpruner plugin {path} is missing: run `make build` in the source tree, or install a wheel."
        )
    return str(path)


def load_delegate(*, runtime: ModuleType | None = None, **options: Any) -> Any:
    """The plugin as a delegate object, for the ``experimental_delegates`` of an interpreter.

    Parameters
    ----------
    runtime
        The module whose interpreter will use it (see `find_runtime`); by default the first that is installed.
    **options
        The plugin's options: ``num_threads`` (0: the runtime's recommendation, else 1), ``backend`` (``"auto"``,
        ``"cpu"``, ``"opencl"`` or ``"reference"``), ``verbosity`` (0 to 2), ``simd`` (an instruction set of this CPU,
        to compare them), ``cache_dir``, ``precision``, ``opencl_library`` and ``tune`` (see
        `Interpreter`), ``costs`` (a file of ``mcpruner calibrate``), ``pack`` (``"auto"`` or ``"never"``) and
        ``poison_memory`` (for tests). None leaves an option out.

    Returns
    -------
    The runtime's own ``Delegate`` object.

    Raises
    ------
    FileNotFoundError
        The plugin is missing.
    ImportError
        No runtime is installed.
    ValueError
        The plugin refuses an option; its sentence is the message.
    """
    found = find_runtime(runtime)
    path = delegate_path()
    try:
        return found.load_delegate(path, {key: str(value) for key, value in options.items() if value is not None})
    except ValueError as error:
        # The runtime says "Failed to load delegate from PATH\n" and then the plugin's own sentence.
        lines = str(error).strip().splitlines()
        raise ValueError(" ".join(lines[1:]).strip() or lines[0]) from None


class Interpreter:
    """A TFLite interpreter with the mcpruner plugin loaded; otherwise the runtime's own.

    Every method and attribute of the runtime's interpreter is there (``allocate_tensors``, ``set_tensor``, ``invoke``,
    ``get_tensor``, ``get_signature_runner``, ...), and `profile` and `report` beside them.

    Parameters
    ----------
    model_path, model_content
        A ``.tflite`` file, or its bytes; one of the two.
    experimental_delegates
        Delegates that take their nodes before the plugin does.
    num_threads
        Threads for the plugin and for what stays with TFLite; by default the runtime's choice.
    backend
        ``"auto"`` (what TFLite runs as fast is left to it; with `cache_dir` as ``mcpruner tune`` measured it, and on
        the faster of cpu and opencl), ``"cpu"``, ``"opencl"`` (a GPU; `report` says why where it is not used) or
        ``"reference"`` (plain loops, to compare).
    simd
        Instruction set of the cpu backend, one of ``mcpruner devices``; by default the best.
    verbosity
        What the plugin prints to stderr. 0 (default): nothing; 1: a line for each model, and each convolution or dense
        layer that it leaves to TFLite, with the reason; 2: every node that it leaves.
    precision
        How the opencl backend keeps numbers: ``"float32"`` (default), ``"float16_storage"`` (float32 arithmetic on
        binary16 numbers) or ``"float16"`` (binary16 arithmetic too, where the device has it).
    cache_dir
        An existing folder with what ``mcpruner tune`` measured on this machine: backend ``"auto"`` goes by it, instead
        of predictions, where it was measured for `num_threads`. The opencl backend keeps compiled programs and tuned
        tiles there.
    opencl_library
        Path or name of libOpenCL, where it is not found by itself.
    tune
        Measure the tiles of convolutions on the OpenCL device that `cache_dir` does not know, which takes minutes; and
        with backend ``"auto"`` look at all partitions, so that `report` has their keys.
    costs
        A file that ``mcpruner calibrate`` wrote on this machine, by which the plugin predicts times (`report`) and
        decides; by default the table that it has for the instruction set.
    pack
        ``"auto"`` (default): layers whose weights have zeros are packed when the file is loaded, where that is
        predicted to be faster, unless other layers of the file are packed already. ``"never"``: none is packed then.
    poison_memory
        For tests: a number, such as NaN or 1e30, that the plugin writes over all its working memory before each
        inference. No result may depend on it. None: off, at no cost.
    runtime
        The runtime module to use (see `find_runtime`).
    **kwargs
        Passed to the runtime's interpreter.

    Raises
    ------
    FileNotFoundError, ImportError
        No plugin, or no runtime.
    ValueError
        The file is no model, or the plugin refuses an option.

    Examples
    --------
    >>> interpreter = mcpruner.Interpreter(model_path="pruned.tflite", num_threads=2)
    >>> interpreter.allocate_tensors()
    """

    def __init__(
        self,
        model_path: str | Path | None = None,
        model_content: bytes | None = None,
        experimental_delegates: list[Any] | None = None,
        num_threads: int | None = None,
        *,
        backend: str = "auto",
        simd: str | None = None,
        verbosity: int = 0,
        precision: str | None = None,
        cache_dir: str | Path | None = None,
        opencl_library: str | None = None,
        tune: bool = False,
        costs: str | Path | None = None,
        pack: str = "auto",
        poison_memory: float | None = None,
        runtime: ModuleType | None = None,
        **kwargs: Any,
    ) -> None:
        found = find_runtime(runtime)
        self._delegate = load_delegate(
            runtime=runtime,
            num_threads=num_threads,
            backend=backend,
            simd=simd,
            verbosity=verbosity,
            precision=precision,
            cache_dir=cache_dir,
            opencl_library=opencl_library,
            tune=int(tune),
            costs=costs,
            pack=pack,
            poison_memory=poison_memory,
        )
        self._interpreter = found.interpreter(
            model_path=None if model_path is None else str(model_path),
            model_content=model_content,
            experimental_delegates=[*(experimental_delegates or []), self._delegate],
            num_threads=num_threads,
            **kwargs,
        )

    def __getattr__(self, name: str) -> Any:
        if name == "_interpreter":  # not there yet: __init__ failed
            raise AttributeError(name)
        return getattr(self._interpreter, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._interpreter)})

    def set_profiling(self, enabled: bool = True) -> None:
        """Times every op that the plugin runs from now on, or stops to. Off at first, when it costs nothing."""
        native().set_profiling(delegate_path(), self._delegate._get_native_delegate_pointer(), enabled)

    def profile(self) -> list[dict[str, Any]]:
        """What each op of the plugin did since profiling was switched on, in execution order.

        Returns
        -------
        list of dict
            One dictionary per op: ``name``, ``type``, ``kernel`` (the name of the micro-kernel), ``backend``, ``input``
            and ``output`` (shapes, NHWC), ``density`` (of its weights), ``macs`` and ``bytes`` (of one run), ``runs``
            and ``nanoseconds`` (of all runs together), and the ``partition`` and ``subgraph`` it is in.
        """
        return _json(native().profile(delegate_path(), self._delegate._get_native_delegate_pointer()))

    def report(self) -> dict[str, Any]:
        """What the plugin took, and for every node that it left the reason.

        Returns
        -------
        dict
            ``backend``, ``num_threads``, ``arena_bytes`` (activations) and ``weight_bytes`` (as backends hold weights);
            ``partitions``; ``decisions``, each with the predicted nanoseconds of a partition in TFLite and in the
            plugin, both on as many threads as the plugin has, the reason why it is taken or left, and whether
            ``mcpruner tune`` decided; ``tuning``, the file with what it measured; and ``nodes``, each with ``name``,
            ``op``, ``taken``, ``backend``, ``reason`` and, of layers, whether they were packed when the file was loaded
            or why not.
            docs/tflite.md lists all fields.
        """
        return _json(native().report(delegate_path(), self._delegate._get_native_delegate_pointer()))


def native() -> ModuleType:
    """The pybind11 module that reads profiles and reports; ImportError with a sentence where it is missing."""
    try:
        return importlib.import_module("mcpruner._native")
    except ImportError as error:
        raise ImportError(
            f"The module mcpruner._native cannot be loaded ({error}): run `make build`, or install a wheel of mcpruner."
        ) from error


def _json(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str | bytes) else text
