"""Files that are whole or not there: everything that mcpruner writes goes through `whole_file`.

    block writes ──> .mcpruner-<random>.part, beside the target ── fsync ── rename ──> target ── fsync of the folder

Until the rename nobody sees the new content, and after it nobody sees half of it, whatever ends the process or the
machine in between. A ``.part`` file that a kill leaves behind is never read. Its name is random and nothing may stand
there yet, so neither another thread nor a link that somebody put there comes in between.

A target that is a link stays one: the file that it points to is replaced. What is no ordinary file (a pipe, a terminal,
/dev/stdout) has no whole to keep and is written straight.
"""

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_OWN_STREAM = re.compile(r"/dev/(stdout|stderr)|/(?:dev|proc/self)/fd/(\d+)")
_NAMED_STREAMS = {"stdout": 1, "stderr": 2}


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A binary file to write, which takes the place of `path` when the block ends without an exception.

    A new file gets the permissions that `open` would give it, one that is replaced keeps its own.

    Raises
    ------
    OSError
        It cannot be written (a full disk, no such folder, no permission); its ``filename`` is `path` in every case.
    """
    target = os.fspath(path)
    part = _part(target)
    try:
        mode, stream = _existing(target)
        if stream is not None:
            with stream:
                yield stream
        else:
            with part.open("xb") as file, _removed_on_failure(part):
                yield file
                if mode is not None:
                    os.fchmod(file.fileno(), mode)
                _replace(file, part, os.path.realpath(target))
    except OSError as error:
        if error.errno is None or error.filename not in (None, target, str(part)):
            raise  # The error is about another file, which the block reads.
        raise OSError(error.errno, os.strerror(error.errno), target) from error


def write_file(path: str | os.PathLike, content: bytes | str) -> None:
    """Write a whole file, text as UTF-8; errors as of `whole_file`."""
    with whole_file(path) as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def check_writable(path: str | os.PathLike) -> None:
    """Raise OSError now where `whole_file` would after the work: a file is begun beside the target, and removed."""
    target = os.fspath(path)
    if own_stream(target) is not None or (Path(target).exists() and not Path(target).is_file()):
        return  # A stream or a pipe: opening it would already tell its reader something.
    part = _part(target)
    try:
        _existing(target)
        with part.open("xb"):
            part.unlink()
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno), target) from error


def _part(target: str) -> Path:
    """Where the content stands until it is whole."""
    return Path(os.path.realpath(target)).with_name(f".mcpruner-{secrets.token_hex(8)}.part")


def own_stream(path: str | os.PathLike) -> int | None:
    """Number of the open file of this process that `path` is another name of (/dev/stdout: 1); None for any other."""
    own = _OWN_STREAM.fullmatch(os.fspath(path))
    return (_NAMED_STREAMS[own[1]] if own[1] else int(own[2])) if own else None


def _existing(target: str) -> tuple[int | None, BinaryIO | None]:
    """The permissions of the file that stands there, None where there is none; or a stream to write straight into."""
    own = own_stream(target)
    if own is not None:
        # Opened by its name, a redirected file would be written from its beginning.
        return None, os.fdopen(os.dup(own), "wb")
    try:
        existing = os.open(target, os.O_WRONLY | os.O_CLOEXEC)  # It refuses a folder, and a file that is read-only.
    except FileNotFoundError:
        return None, None
    mode = os.fstat(existing).st_mode
    if not stat.S_ISREG(mode):
        return None, os.fdopen(existing, "wb")
    os.close(existing)
    return stat.S_IMODE(mode), None


@contextlib.contextmanager
def _removed_on_failure(part: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _replace(file: BinaryIO, part: Path, target: str) -> None:
    file.flush()
    os.fsync(file.fileno())
    part.replace(target)
    with contextlib.suppress(OSError):  # the file is there; some file systems cannot sync a folder
        folder = os.open(part.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
