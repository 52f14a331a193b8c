"""CIFAR-10: as Keras downloads it, or as JPEGs in a packed file (``cifar10_jpeg.npz``)."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Images(NamedTuple):
    """uint8 ``[N, 32, 32, 3]`` and int32 ``[N]``."""

    images: np.ndarray
    labels: np.ndarray


def download() -> tuple[Images, Images]:
    """Training and test images through ``keras.datasets``."""
    import keras

    return tuple(Images(x, y[:, 0].astype(np.int32)) for x, y in keras.datasets.cifar10.load_data())


def load(path: Path, split: str, count: int | None = None) -> Images:
    """Decode the first `count` of ``train`` or ``test`` of the packed file; an image is a common header and its bytes.

    Raises
    ------
    ValueError
        There is no such file.
    """
    from PIL import Image

    if not path.is_file():
        raise ValueError(f"Expected the packed CIFAR-10 at {path}, which is not there: give --data.")
    file = np.load(path)
    header, data, offsets = file["jpeg_header"].tobytes(), file[f"{split}_bytes"].tobytes(), file[f"{split}_offsets"]
    ends = offsets.astype(np.int64)[: None if count is None else count + 1]
    with ThreadPoolExecutor() as pool:
        jpegs = (header + data[begin:end] for begin, end in zip(ends[:-1], ends[1:], strict=True))
        images = np.stack(list(pool.map(lambda jpeg: np.asarray(Image.open(io.BytesIO(jpeg))), jpegs)))
    return Images(images, file[f"{split}_labels"][:count].astype(np.int32))
