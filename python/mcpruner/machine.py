"""What a measurement needs beside its number: the machine, the date and the commit."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
# The flags of a processor that are about vectors begin with these.
_SIMD = ("avx", "fma", "f16c", "asimd", "fphp", "neon", "sve", "i8mm", "bf16")
_X86_KEYS = ("vendor_id", "cpu family", "model", "stepping")


def birth_certificate() -> dict[str, Any]:
    """Say where and when a measurement is made that begins now.

    Returns
    -------
    dict
        ``machine`` (one line), ``processor`` (what `processor` returns), ``date`` (UTC, to the second) and ``commit``.
    """
    return {
        "machine": machine_name(),
        "processor": processor(),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": commit(),
    }


def machine_name() -> str:
    """Processor, architecture, usable cores and system, in one line."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"{_processor_name(_cpuinfo())}, {platform.machine()}, {cores} cores, {platform.system()} {platform.release()}"
    )


def processor() -> dict[str, Any]:
    """Say what a processor's marketing name hides, as far as Linux tells it.

    Returns
    -------
    dict
        ``name``; ``vendor``, ``family``, ``model`` and ``stepping`` as Linux writes them (on ARM ``CPU implementer``,
        ``CPU architecture``, ``CPU part`` and ``CPU revision``; "?" where it says nothing); ``simd``, the flags that
        are about vectors; ``caches``, bytes of each cache of the first core by names such as ``L1d`` and ``L3``.
    """
    info = _cpuinfo()
    flags = (info.get("flags") or info.get("Features", "")).split()
    arm = "CPU implementer" in info
    keys = ("CPU implementer", "CPU architecture", "CPU part", "CPU revision") if arm else _X86_KEYS
    return {
        "name": _processor_name(info),
        **{name: info.get(key, "?") for name, key in zip(("vendor", "family", "model", "stepping"), keys, strict=True)},
        "simd": [flag for flag in flags if flag.startswith(_SIMD)],
        "caches": _caches(),
    }


def _cpuinfo() -> dict[str, str]:
    """The fields of the last core in /proc/cpuinfo; none where there is no such file."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return {}
    fields = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in fields}


def _processor_name(info: dict[str, str]) -> str:
    """The processor as /proc/cpuinfo names it; on ARM Linux gives only numbers, which are better than nothing."""
    if not info:
        return platform.processor() or "unknown processor"
    for key in ("model name", "Hardware"):
        if key in info:
            return info[key]
    return f"CPU implementer {info.get('CPU implementer', '?')} part {info.get('CPU part', '?')}"


def _caches() -> dict[str, int]:
    """Bytes of each data cache of the first core."""
    sizes = {}
    for folder in sorted(_CACHES.glob("index*")):
        level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            sizes[f"L{level}{'d' if kind == 'Data' else ''}"] = int(size.removesuffix("K")) * 1024
    return sizes


def commit() -> str:
    """Commit of the source tree this package runs from (with ``-dirty``), or the installed version outside of one."""
    folder = Path(__file__).resolve().parents[2]
    if (folder / ".git").exists():
        command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode == 0:
            return result.stdout.strip()
    try:
        return f"mcpruner {metadata.version('mcpruner')}"
    except metadata.PackageNotFoundError:
        return "unknown"
