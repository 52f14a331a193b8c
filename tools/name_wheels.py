"""Give each wheel of a folder the manylinux tag that auditwheel finds for it.

Usage: ``python name_wheels.py FROM TO``. A wheel that needs anything beside the system's own libraries has no such tag
and is refused.
"""

import json
import subprocess
import sys
from pathlib import Path


def tag(wheel: Path) -> str:
    """The most general platform tag that the libraries in the wheel allow."""
    command = [sys.executable, "-m", "auditwheel", "show", "--json", str(wheel)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["overall_tag"]


def main() -> None:
    """Name all wheels."""
    source, target = map(Path, sys.argv[1:])
    for wheel in sorted(source.glob("*.whl")):
        platform = tag(wheel)
        if not platform.startswith("manylinux"):
            raise SystemExit(f"{wheel.name} would run on {platform} only; auditwheel show says what it needs.")
        command = [sys.executable, "-m", "wheel", "tags", "--remove", f"--platform-tag={platform}", str(wheel)]
        name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]
        (source / name).replace(target / name)
        print(target / name)


if __name__ == "__main__":
    main()
