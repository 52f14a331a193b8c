"""Checks what clang-format and ruff do not: sizes of files and functions, forbidden names, who may import whom.

Prints one line per finding and exits with 1 if there is any.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LIMIT = 400
FUNCTION_LIMIT = 50
WIDTH_LIMIT = 120  # clang-format leaves comments as they are, and ruff sees to Python
WIDE = {".c", ".cc", ".cl", ".h"}
SIZED = {".bzl", ".c", ".cc", ".cl", ".h", ".py", ".sh"}

# Neither package registries (the environment's configuration names them; in parts here, since this file names none
# either) nor folders of one machine.
REGISTRIES = (
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("npmjs", "(?:org|com)"),
    ("crates", "io"),
    ("(?:deb|security)", "debian", "org"),
    ("repo1?", "maven"),
    ("bcr", "bazel", "build"),
)
FORBIDDEN = re.compile(
    "|".join(r"\.".join(labels) for labels in REGISTRIES)
    + r"|--(?:extra-)?index-url|(?<![\w.)}\]*-])/(?:work|root|home|opt)/"
)

# What each room of converter/ may import beside itself and the ground, which imports nothing but ground (drawn in
# docs/architecture.md).
ROOMS = {
    "format": set(),
    "mask": {"format"},
    "cost": {"format", "mask"},
    "tflite": {"format", "mask", "cost"},
    "training": {"format", "mask"},
    "post_training": {"format", "mask", "training"},
    "allocation": {"format", "mask", "cost", "training", "post_training"},
}
WITHOUT_KERAS = {"format", "mask", "cost", "tflite"}  # files are converted where only NumPy and flatbuffers are
KERAS = {"keras", "tensorflow", "tensorflow_model_optimization"}
GROUND = {"bisection", "options", "progress", "target", "whole_file"}
WAYS_IN = {"__init__", "convert", "old_paths", "source"}  # They and the ground are all files straight under converter/.
# What is shipped imports Python's own modules and these, so neither tests nor tools.
PYTHON_SHIPPED = {"converter": "mcpruner/converter", "python/mcpruner": "mcpruner"}
IMPORTERS = {"import_module", "__import__"}
PYTHON_PACKAGES = {
    *("mcpruner", "numpy", "flatbuffers", "rich", "keras", "tensorflow", "tensorflow_model_optimization"),
    *("matplotlib", "ai_edge_litert", "tflite_runtime"),
}

# The arrows between the rooms of delegate/ (drawn in docs/architecture.md): a room may include what they lead to,
# however far. A room is a folder with all folders in it that are no room of their own.
CPP_ROOMS = {
    "base": (),
    "graph/weights": ("base",),
    "graph": ("graph/weights",),
    "graph/passes": ("graph",),
    "cost": ("base",),
    "cpu/step": ("graph",),
    "cpu/threads": (),
    "cpu/kernels": ("cpu/step",),
    "cpu/engine": ("cpu/kernels", "cpu/threads", "graph/passes"),
    "cpu": ("cpu/engine",),
    "opencl/driver": ("base",),
    "opencl/plan": ("opencl/driver", "graph/passes"),
    "opencl/ops": ("opencl/plan",),
    "opencl/run": ("opencl/ops", "cpu"),
    "opencl": ("opencl/run",),
    "tflite": (),
    "tflite/abi": ("base",),
    "tflite/parse": ("tflite/abi", "graph"),
    "tflite/lower": ("tflite/parse",),
    "tflite/predict": ("tflite/parse", "cost"),
    "tflite/report": ("graph",),
    "tflite/options": ("tflite", "cost", "cpu", "opencl/plan"),
    "tflite/run": ("tflite/lower", "tflite/predict", "tflite/report", "tflite/options", "opencl"),
    "tflite/plugin": ("tflite/run",),
}
# What stands above all rooms: it may include anything, and no room includes it.
CPP_ABOVE = re.compile(r"(?:^|/)(?:testing|bench|fuzz)/|_test\.\w+$|/bench\.cc$")
CPP = {".c", ".cc", ".cl", ".cpp", ".h", ".hpp", ".inc"}
CPP_INCLUDE = re.compile(r"^\s*#\s*(?:include|include_next|import)\b\s*(.*?)(?:\s+(?://|/\*).*)?\s*$")
CPP_OTHER_NAMES = {".cxx", ".hh", ".hxx", ".inl", ".ipp", ".tcc", ".tpp"}  # nothing here would look into them
SIMD = '"delegate/cpu/kernels/simd.h"'  # It sets what Highway's headers go by, for one instruction set.
# A file of ours is named from the root and in quotes, so that one rule reads every include; some of the others are too.
CPP_OURS = ("delegate", "format", "python")
CPP_QUOTED = re.compile(r'"((?:delegate|format|python|flatbuffers|gtest)(?:/(?!\.)[^/"]+)+)"')
CPP_SYSTEM = re.compile(rf"<(?!(?:{'|'.join(CPP_OURS)}|tests)/)(?:(?!\.)[^/>]+)(?:/(?!\.)[^/>]+)*>")

# A line that closes a C++ signature and opens a body, and those that look like it but are no function.
CPP_BODY = re.compile(r"\)(?: const| noexcept| override| final| mutable|\s*->\s*[\w:<>*& ]+)*(?:\s*:\s.*)? \{$")
CPP_NOT_FUNCTION = re.compile(r"\s*(?:\}\s*)?(?:if|for|while|switch|else|do|catch|namespace|class|struct|return)\b")


def sources() -> list[Path]:
    """Files that git tracks or would track."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def python_functions(text: str) -> Iterator[tuple[int, str, int]]:
    """(line, name, lines) of each function; decorators and the docstring do not count."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = node.end_lineno - node.lineno + 1
        first = node.body[0]
        if ast.get_docstring(node) is not None:
            lines -= first.end_lineno - first.lineno + 1
        yield node.lineno, node.name, lines


def cpp_functions(text: str) -> Iterator[tuple[int, str, int]]:
    """(line, signature, lines) of each function body, found by clang-format's indentation; good enough for a limit."""
    lines = text.splitlines()
    for brace, line in enumerate(lines):
        start = brace - 1 if line.strip() == "{" and brace > 0 else brace
        signature = line if start == brace else f"{lines[start]} {{"
        if not CPP_BODY.search(signature) or CPP_NOT_FUNCTION.match(signature) or "](" in signature:
            continue
        depth = 0
        for end in range(brace, len(lines)):
            code = re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'|//.*', "", lines[end])
            depth += code.count("{") - code.count("}")
            if depth == 0:
                yield start + 1, signature.strip(), end - start + 1
                break


def name_of(node: ast.AST) -> str:
    """The last part of a dotted name; empty for any other expression."""
    return getattr(node, "attr", getattr(node, "id", ""))


def importers(tree: ast.AST) -> set[str]:
    """What a module calls the functions that import by name: as Python does, and by names of its own."""
    names = set(IMPORTERS)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names.update(alias.asname for alias in node.names if alias.asname and alias.name in IMPORTERS)
        elif isinstance(node, ast.Assign) and name_of(node.value) in IMPORTERS:
            names.update(name_of(target) for target in node.targets)
    return names - {""}


def imported(text: str, package: list[str]) -> Iterator[tuple[int, list[str]]]:
    """(line, dotted name in parts) of everything that a module of a package imports, also by `importlib`."""
    tree = ast.parse(text)
    by_name = importers(tree)
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: max(0, len(package) + 1 - node.level)] if node.level else []
            names = [base + (node.module.split(".") if node.module else []) + [alias.name] for alias in node.names]
        elif isinstance(node, ast.Call) and name_of(node.func) in by_name:
            given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "name")]
            constants = (argument.value for argument in given if isinstance(argument, ast.Constant))
            for module in (value for value in constants if isinstance(value, str)):
                level = len(module) - len(module.lstrip("."))
                base = package[: max(0, len(package) + 1 - level)] if level else []
                names.append(base + module[level:].split("."))
        yield from ((node.lineno, name) for name in names)


def unknown_imports(name: Path, text: str) -> Iterator[str]:
    """One sentence per import of a shipped module that is neither Python's own nor one of the packages."""
    folder = next((folder for folder in PYTHON_SHIPPED if name.is_relative_to(folder)), None)
    if folder is None or name.suffix != ".py":
        return
    package = PYTHON_SHIPPED[folder].split("/") + list(name.relative_to(folder).parts[:-1])
    for line, target in imported(text, package):
        if target[0] not in sys.stdlib_module_names | PYTHON_PACKAGES:
            yield f"{name}:{line}: imports {'.'.join(target)}: what is shipped imports what PYTHON_PACKAGES names"


def against_the_order(name: Path, text: str) -> Iterator[str]:
    """One sentence per import inside converter/ that runs against the order of its rooms."""
    if name.parts[0] != "converter" or name.suffix != ".py":
        return
    here = name.parts[1].removesuffix(".py")
    if len(name.parts) == 2 and here not in GROUND | WAYS_IN:
        yield f"{name}:1: stands in no room of converter/: move it into one, or draw it and name it in GROUND"
    if here in ROOMS:
        allowed = ROOMS[here] | GROUND | {here}
    else:
        allowed = GROUND if here in GROUND else {"old_paths"} if here == "__init__" else set()
    for line, target in imported(text, ["mcpruner", *name.parts[:-1]]):
        if target[0] in KERAS and here in WITHOUT_KERAS:
            yield f"{name}:{line}: imports {target[0]}, which converter/{here}/ does without"
        if target[0] != "mcpruner":
            continue
        inside = target[1:2] == ["converter"] and len(target) > 2
        if not inside or (here not in ("convert", "source") and target[2] not in allowed):
            yield f"{name}:{line}: imports {'.'.join(target)}, which docs/architecture.md does not let {here} import"


def cpp_room(name: str) -> str | None:
    """The room of delegate/ that a file belongs to; none for what stands above all rooms."""
    if CPP_ABOVE.search(name):
        return None
    folders = (folder.as_posix() for folder in Path(name).relative_to("delegate").parents)
    return next((folder for folder in folders if folder in CPP_ROOMS), None)


def cpp_rooms_below(room: str) -> set[str]:
    """The room, and all that the arrows lead to from it."""
    return {room}.union(*(cpp_rooms_below(other) for other in CPP_ROOMS[room]))


def includes(text: str) -> Iterator[tuple[int, str]]:
    """(line, what stands behind the word) of each include."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := CPP_INCLUDE.match(line):
            yield number, match[1]


def unreadable_includes(name: Path, text: str) -> Iterator[str]:
    """One sentence per include that does not say by itself which file it means, so that no order could hold it."""
    for number, include in includes(text) if name.suffix in CPP else ():
        quoted = CPP_QUOTED.fullmatch(include)
        if quoted is None and not CPP_SYSTEM.fullmatch(include):
            yield (
                f"{name}:{number}: includes {include}: name ours from the root and in quotes "
                f"({', '.join(f'{top}/' for top in CPP_OURS)}), others in <>"
            )
        elif quoted and not CPP_ABOVE.search(name.as_posix()) and CPP_ABOVE.search(quoted[1]):
            yield f"{name}:{number}: includes {quoted[1]}, which is for tests and benchmarks"


def misplaced_libraries(name: Path, text: str) -> Iterator[str]:
    """One sentence per include of Highway outside of SIMD code, and of GoogleTest outside of tests."""
    if name.suffix not in CPP:
        return
    file, ready = name.as_posix(), name.as_posix() == SIMD.strip('"')
    simd_code = file.endswith("_simd.cc") or (file.startswith("delegate/cpu/kernels/") and name.suffix == ".h")
    above = CPP_ABOVE.search(file) or name.parts[0] == "tests"
    for number, include in includes(text):
        ready = ready or include == SIMD
        if include == SIMD and not simd_code:
            yield f"{name}:{number}: includes {include}, which is for *_simd.cc and headers of delegate/cpu/kernels/"
        if include.startswith("<hwy/") and not (simd_code and ready):
            yield f"{name}:{number}: includes {include}, which is for SIMD code, behind {SIMD}"
        if re.match(r'[<"]g(?:test|mock)/', include) and not above:
            yield f"{name}:{number}: includes {include}, which is for tests and benchmarks"


def includes_against_the_order(name: Path, text: str) -> Iterator[str]:
    """One sentence per include inside delegate/ that runs against the order of its rooms."""
    file = name.as_posix()
    if name.parts[0] == "delegate" and name.suffix in CPP_OTHER_NAMES:
        yield f"{name}:1: ends in {name.suffix}: C++ of ours ends in .cc, .h or .inc"
    if name.parts[0] != "delegate" or name.suffix not in CPP or CPP_ABOVE.search(file):
        return
    room = cpp_room(file)
    if room is None:
        yield f"{name}:1: stands in no room of delegate/: draw its folder in docs/architecture.md, name it in CPP_ROOMS"
        return
    allowed = cpp_rooms_below(room)
    for number, include in includes(text):
        other = (quoted := CPP_QUOTED.fullmatch(include)) and quoted[1]
        if not other or not other.startswith(("delegate/", "python/")) or CPP_ABOVE.search(other):
            continue
        if not (other.startswith("delegate/") and cpp_room(other) in allowed):
            yield f"{name}:{number}: includes {other}, which docs/architecture.md does not let {room} include"


def findings(path: Path, text: str) -> Iterator[str]:
    """One sentence per rule that the file breaks."""
    name = path.relative_to(ROOT)
    count = text.count("\n")
    if path.suffix in SIZED and count >= FILE_LIMIT:
        yield f"{name}:1: {count} lines; a file must stay below {FILE_LIMIT}"
    functions = {".py": python_functions, ".cc": cpp_functions, ".h": cpp_functions}.get(path.suffix)
    for line, function, lines in functions(text) if functions else ():
        if lines >= FUNCTION_LIMIT:
            yield f"{name}:{line}: {function}: {lines} lines; a function must stay below {FUNCTION_LIMIT}"
    for number, line in enumerate(text.splitlines(), 1) if path.suffix in WIDE else ():
        if len(line) > WIDTH_LIMIT:
            yield f"{name}:{number}: {len(line)} characters; a line has at most {WIDTH_LIMIT}"
    yield from against_the_order(name, text)
    yield from unknown_imports(name, text)
    yield from unreadable_includes(name, text)
    yield from misplaced_libraries(name, text)
    yield from includes_against_the_order(name, text)
    if path != Path(__file__).resolve():
        for number, line in enumerate(text.splitlines(), 1):
            if match := FORBIDDEN.search(line):
                yield f"{name}:{number}: {match[0]!r} names a registry or a folder of one machine"


def main() -> int:
    """Check every source file."""
    count = 0
    for path in sources():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # golden bytes, images
        for finding in findings(path, text):
            print(finding)
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
