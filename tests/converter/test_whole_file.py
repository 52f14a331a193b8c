"""Files are whole or not there: full disks, kills, threads that race, links, streams, permissions."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from disk import file_limit, names

from mcpruner.converter import whole_file as module
from mcpruner.converter.whole_file import whole_file, write_file

LARGE = 1 << 20


def modes(path: Path) -> str:
    return stat.filemode(path.stat().st_mode)


@pytest.mark.parametrize("content", [b"", b"one", bytes(LARGE), "grün\n"], ids=["empty", "short", "large", "text"])
@pytest.mark.parametrize("before", [None, b"as it was"], ids=["new", "replaced"])
def test_the_content_is_there_and_nothing_else(content: bytes | str, before: bytes | None, tmp_path: Path) -> None:
    target = tmp_path / "out.tflite"
    if before is not None:
        target.write_bytes(before)
    write_file(target, content)
    assert target.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert names(tmp_path) == ["out.tflite"]


def test_a_relative_path_and_the_longest_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_file("x" * 255, b"one")
    assert (tmp_path / ("x" * 255)).read_bytes() == b"one"


@pytest.mark.parametrize("before", [None, b"as it was"], ids=["new", "replaced"])
def test_a_full_disk_says_which_file_and_leaves_the_old_one(before: bytes | None, tmp_path: Path) -> None:
    target = tmp_path / "out.tflite"
    if before is not None:
        target.write_bytes(before)
    with file_limit(1 << 16), pytest.raises(OSError, match="File too large: '.*out.tflite'") as caught:
        write_file(target, bytes(LARGE))
    assert caught.value.filename == str(target)
    assert names(tmp_path) == ([] if before is None else ["out.tflite"])
    assert before is None or target.read_bytes() == before


def test_a_disk_that_is_full_only_when_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device: '.*out.tflite'"):
        write_file(tmp_path / "out.tflite", b"one")
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_in_between_leaves_the_old_file(error: type[BaseException], tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    target.write_bytes(b"as it was")
    with pytest.raises(error), whole_file(target) as file:
        file.write(b"half")
        file.flush()
        raise error
    assert target.read_bytes() == b"as it was" and names(tmp_path) == ["plan.json"]


def test_an_error_about_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, whole_file(tmp_path / "out"):
        (tmp_path / "absent").read_bytes()
    assert caught.value.filename == str(tmp_path / "absent") and names(tmp_path) == []


def test_a_kill_in_between_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    target = tmp_path / "out.tflite"
    target.write_bytes(b"as it was")
    code = (
        "import sys, time\nfrom mcpruner.converter.whole_file import whole_file\n"
        "with whole_file(sys.argv[1]) as file:\n"
        "    file.write(b'half')\n    file.flush()\n    print('written', flush=True)\n    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"written\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"as it was"
    (left,) = [name for name in names(tmp_path) if name != "out.tflite"]
    assert left.startswith(".mcpruner-") and left.endswith(".part")
    write_file(target, b"new")
    assert target.read_bytes() == b"new"


def test_threads_that_write_one_file_leave_one_of_theirs(tmp_path: Path) -> None:
    target = tmp_path / "out"
    contents = [bytes([i]) * LARGE for i in range(8)]
    seen: list[bytes] = []

    def write(content: bytes) -> None:
        for _ in range(5):
            write_file(target, content)
            seen.append(target.read_bytes())

    threads = [threading.Thread(target=write, args=[content]) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 40 and all(content in contents for content in seen)
    assert names(tmp_path) == ["out"]


def test_a_link_under_the_temporary_name_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    monkeypatch.setattr(module.secrets, "token_hex", lambda _: "guessed")
    (tmp_path / ".mcpruner-guessed.part").symlink_to(victim)
    with pytest.raises(FileExistsError) as caught:
        write_file(tmp_path / "out", b"one")
    assert caught.value.filename == str(tmp_path / "out") and victim.read_bytes() == b"precious"


def test_a_link_to_a_file_stays_and_the_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    model, link = tmp_path / "models/v1.tflite", tmp_path / "current.tflite"
    link.symlink_to("models/v1.tflite")
    for content in (b"one", b"two"):  # the link leads nowhere at first
        write_file(link, content)
        assert link.is_symlink() and model.read_bytes() == content
    assert names(tmp_path / "models") == ["v1.tflite"]


def test_new_files_have_the_permissions_of_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_file(tmp_path / "new", b"")
    finally:
        os.umask(old)
    assert modes(tmp_path / "new") == "-rw-r-----"


def test_replaced_files_keep_their_permissions(tmp_path: Path) -> None:
    target = tmp_path / "private"
    target.write_bytes(b"")
    target.chmod(0o600)
    write_file(target, b"one")
    assert modes(target) == "-rw-------"


@pytest.mark.parametrize(
    ("name", "words"), [("", "Is a directory"), ("absent/out", "No such file"), ("file/out", "Not a directory")]
)
def test_places_that_hold_no_file(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=words) as caught:
        write_file(tmp_path / name, b"one")
    assert caught.value.filename == str(tmp_path / name) and names(tmp_path) == ["file"]


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    (tmp_path / "out").write_bytes(b"as it was")
    (tmp_path / "out").chmod(0o444)
    with pytest.raises(PermissionError):
        write_file(tmp_path / "out", b"one")
    assert (tmp_path / "out").read_bytes() == b"as it was"


def test_a_pipe_is_written_straight(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_file(tmp_path / "pipe", bytes(LARGE))
    reader.join()
    assert read == [bytes(LARGE)] and names(tmp_path) == ["pipe"]


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("redirected", [False, True], ids=["pipe", "file"])
def test_stdout_by_name(name: str, redirected: bool, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom mcpruner.converter.whole_file import write_file\n"
        "print('before', flush=True)\nwrite_file(sys.argv[1], b'one')\nprint(' after')\n"
    )
    command = [sys.executable, "-c", code, name]
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.run(command, stdout=out if redirected else subprocess.PIPE, check=True)
    assert ((tmp_path / "out").read_bytes() if redirected else process.stdout) == b"before\none after\n"


def test_nowhere_stays_nowhere() -> None:
    write_file(os.devnull, b"one")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
