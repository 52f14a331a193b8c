"""The shared library of a plugin."""

load("//tools:copts.bzl", "MCPRUNER_COPTS", "MCPRUNER_LINKOPTS", "MCPRUNER_LINK_FEATURES")

_EXPORTS = "//delegate/tflite/plugin:libmcpruner_delegate.lds"

def plugin_library(name, **attributes):
    """A library that exports what the version script lists and needs the C and C++ runtimes only.

    Args:
        name: the file's name, which an app that links the library records.
        **attributes: of a cc_binary: srcs, deps.
    """
    native.cc_binary(
        name = name,
        additional_linker_inputs = [_EXPORTS],
        copts = MCPRUNER_COPTS,
        features = MCPRUNER_LINK_FEATURES,
        linkopts = MCPRUNER_LINKOPTS + [
            "-Wl,--version-script=$(location %s)" % _EXPORTS,
            "-Wl,-soname," + name,  # else an app that links it records the path of this build
            "-Wl,-z,defs",
            "-Wl,-z,max-page-size=16384",
            "-ldl",
            "-lm",
            "-pthread",
        ],
        linkshared = True,
        **attributes
    )
