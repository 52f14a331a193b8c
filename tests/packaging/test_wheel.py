"""The wheel carries the native files, is for one platform, and works from any folder."""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = tuple(
    f"mcpruner/converter/format/{name}_generated.py"
    for name in ("costs", "limits", "model_plan", "operators", "sparse_pattern")
)
NATIVE = ("mcpruner/libmcpruner_delegate.so", "mcpruner/_native.so", *GENERATED)
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built without fetching anything."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT], check=True)
    (found,) = folder.glob("*.whl")
    return found


def test_is_for_this_python_and_platform(wheel: Path) -> None:
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert f"-{version}-{version}-linux_" in wheel.name


def test_carries_native_files_and_every_module(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if "dist-info" not in name}
    packages = {"mcpruner": ROOT / "python" / "mcpruner", "mcpruner/converter": ROOT / "converter"}
    files = {
        f"{package}/{file.relative_to(folder)}"
        for package, folder in packages.items()
        for kind in ("*.py", "*.json")
        for file in folder.rglob(kind)
    }
    assert names == files | set(NATIVE)
    assert "mcpruner/converter/cost/data/avx2.json" in names


def test_carries_the_notices_of_what_is_compiled_in(wheel: Path) -> None:
    """Headers become part of the libraries, so their authors' terms travel with them; the Apache licence in full."""
    archive = zipfile.ZipFile(wheel)
    licenses = {name.partition(".dist-info/licenses/")[2]: name for name in archive.namelist() if "/licenses/" in name}
    owners = {
        "LICENSE": "Apache License",
        "third_party/notices/flatbuffers.txt": "2014-2021, Google Inc",
        "third_party/notices/highway.txt": "2019-2022 Google LLC",
        "third_party/notices/nlohmann-json.txt": "Niels Lohmann",
        "third_party/notices/opencl-headers.txt": "The Khronos Group Inc.",
        "third_party/notices/pybind11.txt": "Wenzel Jakob",
    }
    assert licenses.keys() == owners.keys()
    for name, owner in owners.items():
        assert owner in archive.read(licenses[name]).decode()


def test_works_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    subprocess.run([*PIP, f"--python={python}", "install", "--no-deps", "--no-index", wheel], check=True)
    # NumPy and the others come from this environment; mcpruner must not (its own is found first).
    site = next((environment / "lib").glob("python*/site-packages"))
    (site / "outer.pth").write_text(next(p for p in sys.path if p.endswith("site-packages")) + "\n")
    script = (
        "import pathlib, mcpruner, mcpruner._native, mcpruner.converter.format.sparse_pattern_generated as g\n"
        "print(mcpruner.__file__, mcpruner.delegate_path(), mcpruner._native.__file__, g.__file__, sep='\\n')"
    )
    done = subprocess.run([python, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert all(Path(line).is_relative_to(site) for line in done.stdout.splitlines())
    shown = subprocess.run(
        [environment / "bin" / "mcpruner", "--help"], cwd="/", capture_output=True, text=True, check=True
    )
    assert "convert" in shown.stdout


def test_the_tree_is_left_clean(wheel: Path) -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    status = subprocess.run(
        ["git", "status", "--porcelain", "--ignored=no", "--", "*.so", "build", "*.egg-info"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert status.stdout == ""
