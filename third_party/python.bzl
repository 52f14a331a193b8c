"""The headers of pybind11 and of the Python that will load the extension, as one Bazel repository.

The Python is the one that the environment variable MCPRUNER_PYTHON names (setup.py sets it), else that of .venv. It must
be able to import pybind11.
"""

_QUERY = "import pybind11, sysconfig; print(sysconfig.get_paths()['include']); print(pybind11.get_include())"

_BUILD = """
cc_library(
    name = "pybind11",
    hdrs = glob(["python/**", "pybind11/**"]),
    includes = ["python", "pybind11"],
    visibility = ["//visibility:public"],
)
"""

def _python_headers_impl(ctx):
    root = ctx.path(Label("//:WORKSPACE")).dirname
    python = ctx.os.environ.get("MCPRUNER_PYTHON", str(root) + "/.venv/bin/python")
    asked = ctx.execute([python, "-c", _QUERY])
    if asked.return_code != 0:
        fail("%s cannot import pybind11; run tools/setup.sh or set MCPRUNER_PYTHON.\n%s" % (python, asked.stderr))
    python_include, pybind11_include = asked.stdout.strip().split("\n")
    if not ctx.path(python_include + "/Python.h").exists:
        fail("%s/Python.h is missing; run tools/setup.sh, which installs python3-dev" % python_include)

    # Copies, not links: pip builds wheels in an environment that is gone when the next build starts.
    for folder, source in [("python", python_include), ("pybind11", pybind11_include)]:
        copied = ctx.execute(["cp", "-rL", source, folder])
        if copied.return_code != 0:
            fail("cannot copy %s: %s" % (source, copied.stderr))
    ctx.file("BUILD", _BUILD)

python_headers = repository_rule(
    implementation = _python_headers_impl,
    environ = ["MCPRUNER_PYTHON", "PYTHONPATH"],
    local = True,
    doc = "Repository with one target, :pybind11, that carries the headers of pybind11 and of CPython.",
)
