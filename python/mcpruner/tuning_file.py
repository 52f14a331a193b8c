"""Where `mcpruner tune` keeps what it decided of partitions, for the plugin to follow.

    <cache_dir>/<name from the plugin's report>

      [magic 8][size of machine 4][size of value 8][FNV-1a of value 8][machine][value]      numbers little-endian
      value    [partition 16][TFLite's ns 8][the plugin's ns 8][date 4][take 4] ...          a record for each partition

It is a file of the plugin's cache (`delegate/opencl/driver/disk_cache.h`); `delegate/tflite/run/tuning.h` says what the
records mean and reads them. What `machine` is made of is the plugin's affair, which tells it in its report.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from mcpruner.converter.whole_file import write_file

_MAGIC = b"MCPCL001"
_HEADER = struct.Struct("<8sIQQ")
_RECORD = struct.Struct("<QQQQII")


@dataclass(frozen=True)
class Decision:
    """What was measured of a partition.

    Attributes
    ----------
    take
        Whether the plugin is to take it.
    tflite_ns, plugin_ns
        Nanoseconds of one inference of the model, without the partition and with it alone; at least 1.
    date
        ``"2026-12-01"``.
    """

    take: bool
    tflite_ns: int
    plugin_ns: int
    date: str


def write_decisions(path: Path, machine: str, decisions: dict[str, Decision]) -> None:
    """Write a file of decisions by partition (32 hexadecimal digits each); OSError where it cannot be written."""
    value = b"".join(
        _RECORD.pack(
            int(key[:16], 16),
            int(key[16:], 16),
            decision.tflite_ns,
            decision.plugin_ns,
            int(decision.date.replace("-", "")),
            decision.take,
        )
        for key, decision in decisions.items()
    )
    name = machine.encode()
    write_file(path, _HEADER.pack(_MAGIC, len(name), len(value), _fnv1a(value)) + name + value)


def read_decisions(path: Path, machine: str) -> dict[str, Decision]:
    """The decisions of a file; none where it is missing, or is no whole file of this machine."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    name = machine.encode()
    head, value = content[: _HEADER.size + len(name)], content[_HEADER.size + len(name) :]
    if head != _HEADER.pack(_MAGIC, len(name), len(value), _fnv1a(value)) + name or len(value) % _RECORD.size:
        return {}
    return {
        f"{first:016x}{second:016x}": Decision(bool(take), tflite_ns, plugin_ns, _date(date))
        for first, second, tflite_ns, plugin_ns, date, take in _RECORD.iter_unpack(value)
    }


def _date(number: int) -> str:
    return f"{number // 10000:04d}-{number // 100 % 100:02d}-{number % 100:02d}"


def _fnv1a(data: bytes) -> int:
    found = 14695981039346656037
    for byte in data:
        found = (found ^ byte) * 1099511628211 % (1 << 64)
    return found
