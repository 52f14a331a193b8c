"""The two targets that every op has."""

load("//tools:copts.bzl", "MCPRUNER_COPTS")

def reference_op(deps = [], test_deps = []):
    """The meaning of an op in plain loops (:reference, from reference.{h,cc}) and its test (:reference_test).

    Args:
      deps: what reference.cc needs beside the graph.
      test_deps: what reference_test.cc needs beside GoogleTest.
    """
    native.cc_library(
        name = "reference",
        srcs = ["reference.cc"],
        hdrs = ["reference.h"],
        copts = MCPRUNER_COPTS,
        visibility = ["//delegate:__subpackages__"],
        deps = deps + ["//delegate/graph"],
    )
    native.cc_test(
        name = "reference_test",
        srcs = ["reference_test.cc"],
        copts = MCPRUNER_COPTS,
        deps = test_deps + [
            ":reference",
            "@googletest//:gtest_main",
        ],
    )
