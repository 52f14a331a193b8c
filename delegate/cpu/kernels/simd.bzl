"""The targets that every op with a micro-kernel has, beside those of reference.bzl."""

load("//tools:copts.bzl", "MCPRUNER_COPTS", "simd_library")

def simd_op(op, args_deps = [], simd_hdrs = [], in_order = False, step_srcs = None, step_hdrs = None, step_deps = [], tests = []):
    """Arguments of the micro-kernel (:args), SIMD code of all instruction sets (:simd) and the step that uses it (:step).

    Args:
      op: name of the folder; its files are <op>_args.h, <op>_simd.cc and <op>_step.{h,cc}.
      args_deps: what <op>_args.h and <op>_simd.cc include beside what all do; no code may come with it.
      simd_hdrs: what <op>_simd.cc is made of beside the arguments.
      in_order: whether there is a schedule of its own for cores that run in order (neon_a53).
      step_srcs: sources of the step, if there are more.
      step_hdrs: headers of the step, if there are more.
      step_deps: what the step includes beside what all do, such as other ops' steps.
      tests: tests of the step, <test>.cc each, run through the whole cpu backend.
    """
    visibility = ["//delegate:__subpackages__"]
    native.cc_library(
        name = "args",
        hdrs = [op + "_args.h"],
        visibility = visibility,
        deps = args_deps + ["//delegate/cpu/kernels:row_args"],
    )
    simd_library(
        name = "simd",
        srcs = [op + "_simd.cc"],
        hdrs = simd_hdrs,
        in_order = in_order,
        visibility = visibility,
        deps = args_deps + [
            ":args",
            "//delegate/cpu/kernels:simd_helpers",
        ],
    )
    step_op(op, step_srcs, step_hdrs, step_deps + [":args"], tests)

def bench_op(deps = []):
    """The :bench of an op, bench.cc: it times the op's micro-kernel alone. `deps` is what it needs to make its layers."""
    native.cc_binary(
        name = "bench",
        srcs = ["bench.cc"],
        copts = MCPRUNER_COPTS,
        deps = deps + [
            "//delegate/cpu/testing:micro_kernel_bench",
            "//delegate/graph",
        ],
    )

def step_op(op, step_srcs = None, step_hdrs = None, step_deps = [], tests = []):
    """The :step of an op and its tests; for ops that only move rows, all there is. Arguments as above."""
    native.cc_library(
        name = "step",
        srcs = step_srcs or [op + "_step.cc"],
        hdrs = step_hdrs or [op + "_step.h"],
        copts = MCPRUNER_COPTS,
        visibility = ["//delegate:__subpackages__"],
        deps = step_deps + [
            "//delegate/cpu/kernels:micro_kernels",
            "//delegate/cpu/kernels:row_step",
            "//delegate/cpu/step",
            "//delegate/graph",
        ],
    )
    for test in tests:
        native.cc_test(
            name = test,
            srcs = [test + ".cc"],
            copts = MCPRUNER_COPTS,
            deps = [
                ":step",
                "//delegate/cpu",
                "//delegate/cpu/testing:compare",
                "//delegate/graph/testing:graph_builder",
                "@googletest//:gtest_main",
            ],
        )
