"""What tests of written files need: a disk that is full after a few bytes, and what is in a folder."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def file_limit(size: int) -> Iterator[None]:
    """No file that this process writes may exceed `size` bytes: writing on fails, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def names(folder: Path) -> list[str]:
    """Of all that is in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())
