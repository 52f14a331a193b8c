"""The zip archive behind a flatbuffer, where TFLite Metadata keeps associated files (labels, vocabularies).

    [ flatbuffer ][ zeros ][ local header, file ][ ... ][ central directory ][ end record ]
                           ^ offsets in the central directory and the end record count from the beginning of the file,
                             or, where the archive was only appended, from here

The records and files are carried over as they are; only those offsets move. Anything else behind a flatbuffer may be
found by an offset that nobody here knows, so it cannot be carried.
"""

import struct
import zipfile

_END, _END_SIZE = b"PK\x05\x06", 22
_END64, _END64_SIZE = b"PK\x06\x06", 56
_LOCATOR64, _LOCATOR64_SIZE = b"PK\x06\x07", 20
_ENTRY, _ENTRY_SIZE = b"PK\x01\x02", 46
_LOCAL = b"PK\x03\x04"
_ELSEWHERE = 0xFFFFFFFF  # A 32-bit field has this where its value stands in the zip64 fields.


def carry(behind: bytes, position: int, new_position: int) -> bytes:
    """What stood behind a flatbuffer, as it must stand behind the new one.

    Parameters
    ----------
    behind
        All bytes behind the old flatbuffer.
    position, new_position
        Where these bytes begin in the old file, and where they will begin in the new one.

    Returns
    -------
    bytes
        The archive with its offsets moved; empty where there were only zeros.

    Raises
    ------
    ValueError
        The bytes are no archive that can be moved; the message is one sentence.
    """
    archive = behind.lstrip(b"\0")
    if not archive:
        return b""
    position += len(behind) - len(archive)
    try:
        return _moved(bytearray(archive), position, new_position)
    except (zipfile.BadZipFile, struct.error) as error:
        raise ValueError(
            f"The .tflite has {len(archive)} bytes behind its flatbuffer that are no intact zip archive ({error}), so "
            "whatever finds them by their place would lose them: convert the file without them."
        ) from error


def _moved(archive: bytearray, position: int, new_position: int) -> bytes:
    """The archive with its offsets changed for its new position, in place."""
    end = _find_end(archive)
    fields = [(end + 16, "<I")]  # Here the archive has the offset of its central directory.
    size = struct.unpack_from("<I", archive, end + 12)[0]
    directory_end, locator = end, end - _LOCATOR64_SIZE
    if locator >= 0 and archive[locator : locator + 4] == _LOCATOR64:
        directory_end = locator - _END64_SIZE
        _expect(directory_end >= 0 and archive[directory_end : directory_end + 4] == _END64, "its zip64 record is lost")
        size = struct.unpack_from("<Q", archive, directory_end + 40)[0]
        fields = [*fields, (directory_end + 48, "<Q"), (locator + 8, "<Q")]
    directory = directory_end - size
    _expect(directory >= 0, "its central directory is cut off")
    place = fields[1] if len(fields) > 1 else fields[0]
    base = position + directory - struct.unpack_from(place[1], archive, place[0])[0]
    _expect(base in (0, position), "its offsets count from neither the file's nor its own beginning")
    entries = _offsets_of_entries(archive, directory, directory_end)
    for at, form in entries:
        local = struct.unpack_from(form, archive, at)[0] + base - position
        _expect(local >= 0 and archive[local : local + 4] == _LOCAL, "one of its offsets leads nowhere")
    for at, form in [*fields, *entries]:
        offset = struct.unpack_from(form, archive, at)[0]
        if base == 0 and (form == "<Q" or offset != _ELSEWHERE):
            struct.pack_into(form, archive, at, offset + new_position - position)
    return bytes(archive)


def _find_end(archive: bytearray) -> int:
    """Position of the end record, whose comment reaches to the end of the file."""
    end = len(archive)
    while (end := archive.rfind(_END, 0, end)) >= 0:
        if len(archive) - end >= _END_SIZE:
            comment = struct.unpack_from("<H", archive, end + 20)[0]
            if end + _END_SIZE + comment == len(archive):
                return end
    raise zipfile.BadZipFile("it has no end record")


def _offsets_of_entries(archive: bytearray, begin: int, end: int) -> list[tuple[int, str]]:
    """Where, and in which form, the central directory says the offset of each file's local header."""
    offsets, at = [], begin
    while at < end:
        _expect(archive[at : at + 4] == _ENTRY, "its central directory is damaged")
        name, extra, comment = struct.unpack_from("<3H", archive, at + 28)
        offset = (at + 42, "<I")
        if struct.unpack_from("<I", archive, at + 42)[0] == _ELSEWHERE:
            offset = (_zip64_offset(archive, at, at + _ENTRY_SIZE + name, extra), "<Q")
        offsets.append(offset)
        at += _ENTRY_SIZE + name + extra + comment
    _expect(at == end, "its central directory is damaged")
    return offsets


def _zip64_offset(archive: bytearray, entry: int, extra: int, size: int) -> int:
    """Where the zip64 field of an entry has its offset: behind those sizes that stand there too."""
    sizes = struct.unpack_from("<2I", archive, entry + 20)
    at = extra
    while at + 4 <= extra + size:
        kind, length = struct.unpack_from("<2H", archive, at)
        if kind == 1:
            return at + 4 + 8 * sum(field == _ELSEWHERE for field in sizes)
        at += 4 + length
    raise zipfile.BadZipFile("its zip64 fields are lost")


def _expect(condition: bool, what: str) -> None:
    if not condition:
        raise zipfile.BadZipFile(what)
