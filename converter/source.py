"""Any kind of model that `convert` takes, as the bytes of a dense ``.tflite``.

Keras 3 model, .keras or .h5 file, SavedModel folder  ── TFLiteConverter (TensorFlow is imported here only) ──┐
.tflite file, its bytes  ─────────────────────────────────────────────────────────────────────────────────────┴─> bytes
"""

import contextlib
import errno
import gc
import io
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcpruner.converter.tflite.model import read_model, write_model
from mcpruner.converter.tflite.share_constants import share_constants

_TAKES = "expected a Keras 3 model, a .keras or .h5 file, a SavedModel folder, or a .tflite file or its bytes"

_HDF5 = (".h5", ".hdf5")


def load_source(model_or_path: Any) -> bytes:
    """Make the dense ``.tflite`` of a model.

    Parameters
    ----------
    model_or_path
        A Keras 3 model, the path of a ``.keras`` or ``.h5`` file, SavedModel folder or ``.tflite`` file, or a
        ``.tflite``'s bytes.

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    ValueError
        It is none of these, is not there, or TensorFlow cannot convert it; the message is one sentence.
    """
    if isinstance(model_or_path, (bytes, bytearray, memoryview)):
        return bytes(model_or_path)
    if isinstance(model_or_path, (str, os.PathLike)):
        return _from_path(Path(model_or_path))
    if hasattr(model_or_path, "layers") and hasattr(model_or_path, "export"):
        return _from_keras(model_or_path)
    raise ValueError(f"Cannot convert an object of type {type(model_or_path).__name__}: {_TAKES}.")


def _from_path(path: Path) -> bytes:
    if not path.exists():
        raise ValueError(f"There is no {path}: {_TAKES}.")
    if path.is_dir():
        if not (path / "saved_model.pb").exists():
            raise ValueError(f"The folder {path} is no SavedModel (it has no saved_model.pb): {_TAKES}.")
        return _from_saved_model(path)
    suffix = path.suffix.lower()
    if suffix in (".keras", *_HDF5):
        return _from_keras(load_keras(path))
    content = path.read_bytes()
    if suffix != ".tflite" and content[4:8] != b"TFL3":
        raise ValueError(f"{path} is no model file: {_TAKES}.")
    return content


def load_keras(path: str | os.PathLike) -> Any:
    """Load the Keras model in a ``.keras`` or ``.h5`` file, not compiled.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It holds no Keras model; the message is one sentence.
    """
    if (Path(path) / "saved_model.pb").exists():
        raise ValueError(
            f"{path} is a SavedModel, which holds functions and no layers that could be pruned: prune the Keras model "
            "that it was exported from, saved with model.save('model.keras'); mcpruner convert takes SavedModels."
        )
    if not Path(path).exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path))
    suffix = Path(path).suffix.lower()
    if suffix == ".keras" and Path(path).is_file() and not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is no .keras file, which is a zip archive: save the model again.")
    if suffix in _HDF5 and _first_bytes(path, 8) != b"\x89HDF\r\n\x1a\n":
        raise ValueError(f"{path} is no HDF5 file: save the model again, as .keras.")
    with _quiet():
        import keras

        try:
            return keras.saving.load_model(path, compile=False)
        except Exception as error:  # zipfile, JSON, HDF5 and Keras errors alike
            raise ValueError(f"Keras cannot load {path}: {_first_line(error)}") from error


def _first_bytes(path: str | os.PathLike, count: int) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(count)


def _from_keras(model: Any) -> bytes:
    what = f"the Keras model {model.name!r}"
    with _quiet():
        import keras
        import tensorflow as tf

        if not isinstance(model, keras.Model):  # of tf_keras, which TensorFlow takes as it is
            return _run(tf.lite.TFLiteConverter.from_keras_model, model, what)
        from mcpruner.converter.training.single import plain_single

        if not model.built or not (getattr(model, "inputs", None) or getattr(model, "_build_shapes_dict", None)):
            raise ValueError(f"{what[0].upper()}{what[1:]} has no inputs yet: call or build it before converting.")
        model = plain_single(model)
        with tempfile.TemporaryDirectory() as folder:
            with _one_sentence(what):
                model.export(folder, verbose=False)
            del model  # TensorFlow reads the folder. A model that nobody else holds need not take memory meanwhile.
            gc.collect()
            return _run(tf.lite.TFLiteConverter.from_saved_model, folder, what)


def _from_saved_model(path: Path) -> bytes:
    with _quiet():
        import tensorflow as tf

        signatures = _signatures(path)
        if not signatures:
            raise ValueError(
                f"The SavedModel {path} has no signature, so there is no function to convert: save it with "
                "tf.saved_model.save(model, folder, signatures=...), or a Keras model with model.export."
            )
        content = _run(lambda p: tf.lite.TFLiteConverter.from_saved_model(p, signatures), str(path), str(path))
    found = [signature.signatureKey.decode() for signature in read_model(content).signatureDefs]
    lost = [name for name in signatures if name not in found]
    if lost and len(signatures) > 1:
        raise ValueError(
            f"TensorFlow converts only the default function of what Keras exported, so {', '.join(lost)} would be lost "
            f"from {path}: save it with tf.saved_model.save(model, folder, signatures=...), or export one function."
        )
    return content


def _signatures(path: Path) -> list[str]:
    """Names of a SavedModel's signatures; one for Keras' function ``serve``, which is ``serving_default`` as well."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString((path / "saved_model.pb").read_bytes())
    except Exception as error:  # of protobuf's own types, which differ between its versions
        raise ValueError(f"{path / 'saved_model.pb'} is damaged: {_first_line(error)}") from error
    graph = next((g for g in saved.meta_graphs if "serve" in g.meta_info_def.tags), None)
    found = {} if graph is None else dict(graph.signature_def)
    keys = sorted(key for key in found if not key.startswith("__"))
    root = graph.object_graph_def.nodes[0].children if keys and graph.object_graph_def.nodes else []
    if {"serve", "serving_default"} <= set(keys) and any(child.local_name == "serve" for child in root):
        keys.remove("serve")
    return keys


def _run(make: Any, source: Any, what: str) -> bytes:
    """TFLiteConverter freezes variables into constants and folds batch norm and activations into convolutions.

    It finds equal constants by rewriting the file in Python, which takes four times the memory of the model. Where it
    is told to put constants behind the flatbuffer it does not, so this is left to `share_constants`.
    """
    with _one_sentence(what):
        content = _converted(make(source))
    model = read_model(content)
    share_constants(model)
    model.metadata = [entry for entry in model.metadata if entry.name != b"buffer_location"]
    return write_model(model)


def _converted(converter: Any) -> bytes:
    """The file that a TFLiteConverter makes, which keeps the model's variables as long as it is there itself."""
    converter._experimental_use_buffer_offset = True
    return converter.convert()


@contextlib.contextmanager
def _one_sentence(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever TensorFlow raises, users get one sentence
        raise ValueError(f"TensorFlow cannot convert {what} to .tflite: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return text if text.endswith(".") else text + "."


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """TensorFlow prints pages of logs, natively and in Python: keep them away from the command line's output."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
