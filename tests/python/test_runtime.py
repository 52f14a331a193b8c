"""The plugin in the runtimes of this Python."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import ai_edge_litert.interpreter
import numpy as np
import pytest
from small_network import Files

import mcpruner
from mcpruner import runtime
from mcpruner.compare import run


def test_delegate_path_is_the_packaged_file() -> None:
    path = Path(mcpruner.delegate_path())
    assert path.name == "libmcpruner_delegate.so" and path.is_file()
    assert path.parent == Path(runtime.__file__).resolve().parent


def test_missing_plugin_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_PLUGIN", "libabsent.so")
    with pytest.raises(FileNotFoundError, match=r"The mcpruner plugin .*libabsent\.so is missing: run `make build`"):
        mcpruner.load_delegate()


@pytest.mark.parametrize("verbosity", [None, 0, 1])
def test_the_plugin_prints_when_it_is_asked_to(
    verbosity: int | None, files: Files, capfd: pytest.CaptureFixture
) -> None:
    options = {} if verbosity is None else {"verbosity": verbosity}
    mcpruner.Interpreter(model_path=files.sparse, **options).allocate_tensors()
    assert ("mcpruner" in capfd.readouterr().err) == bool(verbosity)


def test_runtimes_are_tried_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runtime.find_runtime().name == "ai_edge_litert"
    assert runtime.find_runtime().interpreter is ai_edge_litert.interpreter.Interpreter
    monkeypatch.setattr(runtime, "_RUNTIMES", ("absent_runtime.interpreter", "ai_edge_litert.interpreter"))
    assert [name.split()[0] for name in runtime.installed_runtimes()] == ["ai_edge_litert"]
    assert runtime.find_runtime().name == "ai_edge_litert"


def test_missing_runtime_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_RUNTIMES", ("absent_runtime.interpreter",))
    with pytest.raises(ImportError, match=r"needs a TFLite runtime and found none: install ai-edge-litert"):
        mcpruner.Interpreter(model_content=b"")


def test_broken_runtime_keeps_its_own_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken_runtime.py").write_text("import a_module_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(runtime, "_RUNTIMES", ("broken_runtime",))
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        runtime.find_runtime()


def test_module_that_is_no_runtime_is_refused() -> None:
    with pytest.raises(TypeError, match=r"runtime must be a module with a TFLite Interpreter.*'json' has none"):
        mcpruner.load_delegate(runtime=json)


@pytest.mark.parametrize(
    ("options", "word"),
    [({"num_thread": 2}, "num_thread"), ({"backend": "gpu9"}, "gpu9"), ({"num_threads": "many"}, "many")],
)
def test_bad_option_is_the_plugins_sentence(options: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word) as caught:
        mcpruner.load_delegate(**options)
    message = str(caught.value)
    assert "\n" not in message and "Failed to load" not in message


def test_interpreter_equals_the_runtime_without_the_plugin(files: Files) -> None:
    inputs = np.random.default_rng(1).standard_normal((1, 13, 11, 16)).astype(np.float32)
    (expected,) = run(ai_edge_litert.interpreter.Interpreter(str(files.dense)), [inputs])
    for options in ({}, {"num_threads": 2}, {"backend": "reference"}):
        interpreter = mcpruner.Interpreter(files.sparse, **options)
        (actual,) = run(interpreter, [inputs])
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_interpreter_takes_bytes_and_resizes(files: Files) -> None:
    interpreter = mcpruner.Interpreter(model_content=files.sparse.read_bytes())
    inputs = np.random.default_rng(1).standard_normal((3, 13, 11, 16)).astype(np.float32)
    (batch,) = run(interpreter, [inputs])
    for i in range(3):
        (one,) = run(interpreter, [inputs[i : i + 1]])
        np.testing.assert_allclose(one[0], batch[i], rtol=0, atol=1e-5 * np.abs(batch).max())


def test_interpreter_works_in_tensorflow(files: Files) -> None:
    import tensorflow as tf

    inputs = np.ones((1, 13, 11, 16), np.float32)
    ours = mcpruner.Interpreter(files.sparse, runtime=tf)
    assert type(ours._interpreter) is tf.lite.Interpreter
    np.testing.assert_allclose(run(ours, [inputs])[0], run(mcpruner.Interpreter(files.sparse), [inputs])[0], rtol=1e-6)


def test_interpreter_has_every_method_of_the_runtimes(files: Files) -> None:
    interpreter = mcpruner.Interpreter(files.sparse)
    public = [name for name in dir(ai_edge_litert.interpreter.Interpreter) if not name.startswith("_")]
    assert set(public) <= set(dir(interpreter))
    for name in public:
        getattr(interpreter, name)
    with pytest.raises(AttributeError):
        interpreter.not_a_method  # noqa: B018


def test_damaged_model_raises(files: Files, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        mcpruner.Interpreter(model_content=files.sparse.read_bytes()[:100])
    with pytest.raises(ValueError, match="absent.tflite"):
        mcpruner.Interpreter(tmp_path / "absent.tflite")


def test_report_says_what_was_taken(files: Files) -> None:
    interpreter = mcpruner.Interpreter(files.sparse)
    interpreter.allocate_tensors()
    nodes = {node["name"]: node for node in interpreter.report()["nodes"]}
    assert nodes["conv3"]["op"] == "McprunerSparseConv2D"
    assert nodes["conv3"]["taken"] is True
    assert nodes["conv3"]["backend"] == "cpu"


def test_profile_counts_runs(files: Files) -> None:
    interpreter = mcpruner.Interpreter(files.sparse)
    run(interpreter, [np.ones((1, 13, 11, 16), np.float32)])
    interpreter.set_profiling(True)
    for _ in range(3):
        interpreter.invoke()
    ops = interpreter.profile()
    assert {op["runs"] for op in ops} == {3}
    conv = next(op for op in ops if op["type"] == "Conv")
    assert conv["nanoseconds"] > 0 and 0 < conv["density"] <= 1
    interpreter.set_profiling(False)
    interpreter.invoke()
    assert {op["runs"] for op in interpreter.profile()} <= {0, 3}


def test_missing_native_module_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcpruner._native", None)
    with pytest.raises(ImportError, match=r"mcpruner\._native cannot be loaded .*: run `make build`"):
        runtime.native()


def test_import_is_light_and_names_are_lazy() -> None:
    code = (
        "import sys, mcpruner; assert not {'numpy', 'tensorflow', 'keras'} & set(sys.modules); "
        "assert set(mcpruner.__all__) <= set(dir(mcpruner))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    for name in mcpruner.__all__:
        assert getattr(mcpruner, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        importlib.import_module("mcpruner").absent  # noqa: B018
