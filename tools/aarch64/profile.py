"""Make the folder that qemu shows an emulated program as its root: an arm64 sysroot that says it is a Kirin 970.

Usage: ``python profile.py SYSROOT PROFILE``. qemu's user mode redirects each absolute path that exists below its
``-L`` folder. So PROFILE holds links into SYSROOT, and a ``/proc/cpuinfo`` and ``/sys/devices/system/cpu`` of its own,
from which XNNPACK chooses its kernels (and without which ai-edge-litert crashes). The A73 cores come first, though the
real chip counts its A53 first: the emulated process runs on CPUs 0, 1, ... of this machine, and must find itself on a
large core.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FEATURES = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"


@dataclass(frozen=True)
class Cluster:
    """Cores of one kind; sizes of the caches in KiB, speed in kHz."""

    first: int
    last: int
    part: int
    revision: int
    khz: int
    l1: int
    l2: int


CLUSTERS = (
    Cluster(first=0, last=3, part=0xD09, revision=2, khz=2362000, l1=64, l2=2048),  # Cortex-A73
    Cluster(first=4, last=7, part=0xD03, revision=4, khz=1844000, l1=32, l2=1024),  # Cortex-A53
)


def cpuinfo() -> str:
    """The text of ``/proc/cpuinfo``."""
    cores = [
        f"processor\t: {core}\nBogoMIPS\t: 3.84\nFeatures\t: {FEATURES}\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {c.part:#05x}\nCPU revision\t: {c.revision}\n"
        for c in CLUSTERS
        for core in range(c.first, c.last + 1)
    ]
    return "\n".join([*cores, "Hardware\t: Kirin970\n"])


def core_files(core: int, number: int, cluster: Cluster) -> Iterator[tuple[str, str]]:
    """(path below ``/sys/devices/system/cpu``, content) of each file of one core of cluster `number`."""
    together = f"{cluster.first}-{cluster.last}"
    yield "cpufreq/cpuinfo_max_freq", str(cluster.khz)
    yield "cpufreq/cpuinfo_min_freq", "509000"
    yield "topology/physical_package_id", str(number)
    yield "topology/core_id", str(core - cluster.first)
    yield "topology/thread_siblings_list", str(core)
    for name in ("core_siblings_list", "cluster_cpus_list", "package_cpus_list"):
        yield f"topology/{name}", together
    yield "regs/identification/midr_el1", f"{0x410F0000 | cluster.part << 4 | cluster.revision:#018x}"
    caches = (
        (1, "Data", cluster.l1, core),
        (1, "Instruction", cluster.l1, core),
        (2, "Unified", cluster.l2, together),
    )
    for index, (level, kind, size, shared) in enumerate(caches):
        fields = {"level": level, "type": kind, "size": f"{size}K", "shared_cpu_list": shared}
        fields |= {"coherency_line_size": 64, "ways_of_associativity": 16}
        for name, value in fields.items():
            yield f"cache/index{index}/{name}", str(value)


def write(path: Path, text: str) -> None:
    """Write a file whose folders may be missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def main() -> None:
    """Make the profile."""
    sysroot, profile = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    profile.mkdir()
    for entry in sysroot.iterdir():
        if entry.name not in ("proc", "sys"):
            (profile / entry.name).symlink_to(entry)
    write(profile / "proc/cpuinfo", cpuinfo())
    cpus = profile / "sys/devices/system/cpu"
    for number, cluster in enumerate(CLUSTERS):
        for core in range(cluster.first, cluster.last + 1):
            for name, content in core_files(core, number, cluster):
                write(cpus / f"cpu{core}" / name, content + "\n")
    for name in ("possible", "present", "online"):
        write(cpus / name, f"0-{CLUSTERS[-1].last}\n")
    write(cpus / "kernel_max", "255\n")


if __name__ == "__main__":
    main()
