"""The command line as a whole: help, exit statuses, sentences."""

import contextlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from small_network import Files
from tflite_builder import TfliteBuilder

from mcpruner.cli import main
from mcpruner.cli.common import progress

COMMANDS = ("convert", "prune", "inspect", "verify", "benchmark", "devices")


def test_help_lists_every_command_without_heavy_imports() -> None:
    code = (
        "import sys\nfrom mcpruner.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit as e:\n    assert e.code == 0\n"
        "assert not {'numpy', 'tensorflow', 'keras', 'rich', 'ai_edge_litert'} & set(sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for command in COMMANDS:
        assert re.search(rf"^ +{command}\b", result.stdout, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_ends_with_an_example(command: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"\nexample:\n  mcpruner {command} " in capsys.readouterr().out + " "


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["prume"], "prume"),
        (["convert"], "SRC"),
        (["inspect", "a.tflite", "--color"], "--color"),
        (["benchmark", "a.tflite", "--threads", "0"], "expected a whole number of at least 1, got '0'"),
        (["verify", "a.tflite", "--threads", "1,a"], "expected a whole number of at least 1, got 'a'"),
        (["verify", "a.tflite", "--tolerance", "nan"], "expected a number of at least 0, got 'nan'"),
        (["benchmark", "a.tflite", "--backend", "auto,gpu9"], "'gpu9' is not one of auto, cpu, opencl, reference"),
        (["prune", "a.keras", "-o", "b.keras"], "--density"),
        (["prune", "a.keras", "-o", "absent/b.keras", "--density", "1"], "expected a file in a folder that exists;"),
        (["convert", "a.keras", "-o", "absent/b.tflite"], "expected a file in a folder that exists;"),
        (["calibrate", "-o", "absent/b.json"], "/absent is none"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments: list[str], words: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    captured = capsys.readouterr()
    assert caught.value.code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1 and words in captured.err and "--help" in captured.err


@pytest.mark.parametrize("text", ["", ".", "/"])
def test_a_folder_is_no_file_to_write(text: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        main(["convert", "a.tflite", "-o", text])
    assert "expected a file to write; " in capsys.readouterr().err


OUTPUTS = {
    "convert": (["a.tflite"], ("-o", "--dense", "--report")),
    "prune": (["a.keras", "--density", "1"], ("-o", "--save-plan")),
    "benchmark": (["a.tflite"], ("--json",)),
    "calibrate": ([], ("-o",)),
}


@pytest.mark.parametrize(("command", "option"), [(name, option) for name in OUTPUTS for option in OUTPUTS[name][1]])
def test_what_cannot_be_written_is_one_sentence_before_the_work(
    command: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """A link in a circle, and a folder of the kernel that root cannot write to either."""
    (tmp_path / "loop").symlink_to("loop")
    for path, words in ((tmp_path / "loop", "Too many levels of symbolic links"), ("/proc/a", "No such file")):
        with pytest.raises(SystemExit) as caught:
            main([command, *OUTPUTS[command][0], option, str(path)])
        assert caught.value.code == 2
        assert f"{path} cannot be written: {words}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "loop"]


def test_options_are_checked_before_tensorflow_is_loaded(tmp_path: Path) -> None:
    """The model is a file that Keras would have to be loaded for."""
    model, plan, images = tmp_path / "a.keras", tmp_path / "plan.json", tmp_path / "x.npy"
    with zipfile.ZipFile(model, "w") as archive:
        archive.writestr("config.json", "{}")
    for path in (plan, images):
        path.write_text("none")
    prune, convert = ([name, str(model), "-o", str(tmp_path / "b.keras")] for name in ("prune", "convert"))
    commands = [
        [*convert, "--target", "pdp-11"],
        [*convert, "--batch", "0"],
        [*convert, "--calibration", str(plan)],
        [*prune, "--density", "1.5"],
        [*prune, "--density", "0.5", "--target", "pdp-11"],
        [*prune, "--density", "0.5", "--num-patterns", "0"],
        [*prune, "--plan", str(plan)],
        [*prune, "--allocate", "speedup=-1"],
        [*prune, "--allocate", "speedup=2", "--target", "pdp-11"],
        [*prune, "--density", "0.5", "--calibration", str(images)],
        ["prune", str(plan.rename(tmp_path / "none.keras")), "-o", str(tmp_path / "b.keras"), "--density", "0.5"],
    ]
    code = (
        "import json, sys\nfrom mcpruner.cli import main\n"
        "for command in json.loads(sys.argv[1]):\n    assert main(command) == 2\n"
        "    assert not {'keras', 'tensorflow'} & set(sys.modules), command\n"
    )
    arguments = [sys.executable, "-c", code, json.dumps(commands)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stderr.count("\n") == len(commands)


def test_two_files_of_one_name_are_refused(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    one = tmp_path / "one.keras"
    (tmp_path / "other.keras").symlink_to("one.keras")
    for arguments in (
        ["convert", str(files.dense), "-o", str(one), "--report", str(tmp_path / "other.keras")],
        ["convert", str(files.dense), "-o", str(tmp_path / "a"), "--dense", str(one), "--report", str(one)],
        ["prune", "a.keras", "--allocate", "density=0.5", "-o", str(one), "--save-plan", str(one)],
    ):
        assert main(arguments) == 2
        assert "mcpruner: Two files are to be written to " in capsys.readouterr().err
    assert not one.exists()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_no_error(closed: str, files: Files, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    command = f'"{sys.executable}" -m mcpruner convert "{files.dense}" -o "{out}" {closed}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, out.read_bytes()[4:8]) == (0, b"TFL3"), done.stderr


def test_a_name_that_is_no_text_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    net = TfliteBuilder()
    y = net.relu(net.input((1, 4)))
    net.graph.tensors[y].name = b"\xff\xfe"
    path = tmp_path / "names.tflite"
    path.write_bytes(net.build([y]))
    assert main(["verify", str(path)]) == 2
    assert (
        capsys.readouterr().err
        == "mcpruner: A name in the file is not UTF-8 text: the file is damaged, make it again.\n"
    )


def test_keras_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"no archive")
    assert main(["prune", str(path), "--density", "0.5", "-o", str(tmp_path / "pruned.keras")]) == 2
    assert "is no .keras file, which is a zip archive" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["inspect", "verify", "benchmark"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file or directory."),
        (b"", "is not a .tflite file"),
        (b"PK\x03\x04 a zip file, say", "is not a .tflite file"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(40), ""),
    ],
    ids=["absent", "empty", "other", "damaged"],
)
def test_bad_file_is_one_sentence_and_status_2(
    command: str, content: bytes | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / "model.tflite"
    if content is not None:
        path.write_bytes(content)
    assert main([command, str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("mcpruner: ") and captured.err.count("\n") == 1 and words in captured.err


def test_messages_of_the_plugin_have_no_prefix_of_their_own(
    files: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("mcpruner: out of memory; free some.\nERROR: mcpruner: internal error. Node 3 failed.")

    monkeypatch.setattr("mcpruner.cli.inspect.describe", fail)
    assert main(["inspect", str(files.sparse)]) == 2
    expected = "mcpruner: out of memory; free some. ERROR: internal error. Node 3 failed.\n"
    assert capsys.readouterr().err == expected


def test_folder_in_place_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["inspect", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"mcpruner: {tmp_path}: Is a directory.\n"


def test_reader_that_leaves_early_is_no_error(files: Files) -> None:
    command = [sys.executable, "-m", "mcpruner", "inspect", str(files.sparse)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + 13


def test_progress_is_silent_unless_on_a_terminal(capsys: pytest.CaptureFixture) -> None:
    with progress("working", 2) as tick:
        tick()
        tick()
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_progress_on_a_terminal_goes_to_stderr(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(slave, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        with progress("working", 1) as tick:
            tick()
    shown = b""
    with contextlib.suppress(OSError):  # a terminal that nobody writes to any more
        while chunk := os.read(master, 1000):
            shown += chunk
    os.close(master)
    assert b"working" in shown and b"100%" in shown
    assert capsys.readouterr().out == ""
