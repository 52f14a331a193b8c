"""Archives behind a flatbuffer arrive whole, with offsets that are right in the new file; anything else is refused."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from small_network import small_network

from mcpruner.converter.convert import convert
from mcpruner.converter.tflite.archive import carry
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.model import read_model

FILES = {"labels.txt": b"oak\nash\n", "vocabulary/a.bin": bytes(range(256)) * 40, "empty": b""}


def append_archive(content: bytes, path: Path, compression: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    """As TFLite Metadata does it: offsets count from the beginning of the file."""
    path.write_bytes(content)
    with zipfile.ZipFile(path, "a", compression) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
        archive.comment = comment
    return path.read_bytes()


def assert_has_files(content: bytes, offsets: bool = True) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        if offsets:  # as a reader that does not correct them finds them
            end = content.rindex(b"PK\x05\x06")
            directory = struct.unpack_from("<I", content, end + 16)[0]
            assert content[directory : directory + 4] == b"PK\x01\x02"
            for info in archive.infolist():
                assert content[info.header_offset : info.header_offset + 4] == b"PK\x03\x04"


@pytest.fixture(scope="module")
def dense() -> bytes:
    return small_network()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("comment", [b"", b"a comment"])
@pytest.mark.parametrize("padding", [0, 7, 100])
def test_archives_survive_conversion_and_back(
    dense: bytes, compression: int, comment: bytes, padding: int, tmp_path: Path
) -> None:
    content, report = convert(append_archive(dense + bytes(padding), tmp_path / "x", compression, comment))
    assert report.num_accelerated > 0 and content[4:8] == b"TFL3"
    assert_has_files(content)
    assert_has_files(densify(content))
    assert_has_files(convert(content)[0])  # nothing more to pack: the file as it was


def test_an_archive_that_was_only_appended_stays_as_it_is(dense: bytes, tmp_path: Path) -> None:
    archive = append_archive(b"", tmp_path / "x")
    content, _ = convert(dense + archive)
    assert content.endswith(archive)
    assert_has_files(content, offsets=False)


def test_zip64_records_are_moved(monkeypatch: pytest.MonkeyPatch, dense: bytes, tmp_path: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", 100)  # so that every offset is in the zip64 fields
        patch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
        before = append_archive(dense, tmp_path / "x")
    assert b"PK\x06\x06" in before
    content, _ = convert(before)
    assert_has_files(content, offsets=False)
    locator = content.rindex(b"PK\x06\x07")
    record = struct.unpack_from("<Q", content, locator + 8)[0]
    directory = struct.unpack_from("<Q", content, record + 48)[0]
    assert content[record : record + 4] == b"PK\x06\x06" and content[directory : directory + 4] == b"PK\x01\x02"


def test_zeros_behind_the_flatbuffer_are_padding(dense: bytes) -> None:
    assert convert(dense + bytes(1000))[0] == convert(dense)[0]


def _cut(content: bytes, size: int) -> bytes:
    return content[:-1]


def _no_end(content: bytes, size: int) -> bytes:
    return content[: content.rindex(b"PK\x05\x06")]


def _shifted(content: bytes, size: int) -> bytes:
    return content[:size] + b"junk" + content[size:]


def _wrong_offset(content: bytes, size: int) -> bytes:
    damaged = bytearray(content)
    damaged[content.rindex(b"PK\x01\x02") + 42] ^= 1
    return bytes(damaged)


def _bytecode(content: bytes, size: int) -> bytes:
    return content[:size] + b"compiled for another processor"


@pytest.mark.parametrize("damage", [_cut, _no_end, _shifted, _wrong_offset, _bytecode])
def test_what_cannot_be_carried_is_refused(damage: object, dense: bytes, tmp_path: Path) -> None:
    content = damage(append_archive(dense, tmp_path / "x"), len(dense))
    with pytest.raises(ValueError, match=r"^The .tflite has \d+ bytes behind its flatbuffer that are no intact zip"):
        convert(content)
    read_model(content)  # only writing it would lose them


def test_offsets_beyond_four_gigabytes_are_refused(tmp_path: Path) -> None:
    archive = append_archive(b"", tmp_path / "x")
    assert carry(archive, 0, 1 << 20)[-22:] != archive[-22:]
    with pytest.raises(ValueError, match="no intact zip archive"):
        carry(archive, 0, 1 << 32)


def test_damaged_archives_are_a_sentence_or_carried(dense: bytes, tmp_path: Path) -> None:
    archive = append_archive(bytes(64), tmp_path / "x")[64:]
    rng = np.random.default_rng(3)
    for _ in range(500):
        damaged = bytearray(archive)
        for at in rng.integers(0, len(archive), rng.integers(1, 4)):
            damaged[at] = rng.integers(256)
        try:
            assert len(carry(bytes(damaged), 64, 128)) == len(damaged.lstrip(b"\0"))
        except ValueError as error:
            assert "\n" not in str(error)
