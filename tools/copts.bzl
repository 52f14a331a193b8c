"""Compiler flags of the project, and the instruction sets that SIMD sources are compiled for."""

# What Clang sees beyond -Wall and -Wextra, without a warning that asks for another style.
_CLANG_WARNINGS = [
    "-Wcomma",
    "-Wconditional-uninitialized",
    "-Wextra-semi",
    "-Wloop-analysis",
    "-Wnon-virtual-dtor",
    "-Wshadow",
    "-Wshorten-64-to-32",
    "-Wunreachable-code",
    "-Wunused-member-function",
]

# C++17 comes from .bazelrc. Exceptions stay on (std::bad_alloc); each entry point of the runtime catches them.
MCPRUNER_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
    "-ffunction-sections",
    "-fdata-sections",
] + select({
    "//tools:clang": _CLANG_WARNINGS,
    "//conditions:default": [],
}) + select({
    "//tools:opt": ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"],  # sanitizers see more, and want it off
    "//conditions:default": [],
})

# Of what runs at load and between kernels: small matters more than fast there.
MCPRUNER_SIZE_COPTS = MCPRUNER_COPTS + ["-Os"]

# Data that is only read lies in a segment of its own, where it is no code; what the loader relocates is read-only
# afterwards; the stack is not executable. Bazel would take gold, which cannot do the first.
MCPRUNER_LINK_FEATURES = ["-supports_start_end_lib"]  # gold's
MCPRUNER_LINKOPTS = [
    "-Wl,--gc-sections",
    "-Wl,-z,separate-code",
    "-Wl,-z,relro,-z,now",
    "-Wl,-z,noexecstack",
] + select({
    "//tools:clang": [],
    "//conditions:default": ["-fuse-ld=bfd"],
})

# Highway takes the widest set whose macros the flags define; its AVX2 wants FMA, F16C, BMI, AES and PCLMUL named too.
_AVX2 = ["-DHWY_COMPILE_ONLY_STATIC", "-mavx2", "-mfma", "-mf16c", "-mbmi", "-mbmi2", "-maes", "-mpclmul"]

# Part of the aarch64 baseline.
_NEON = ["-DHWY_COMPILE_ONLY_STATIC"]

# Flags of instruction sets that GCC alone knows. Its scheduling before registers are assigned would move loads up until
# the sums of a tile no longer fit the registers; Clang's weighs them.
_GCC_COPTS = {
    "neon": ["-fno-schedule-insns"],
    "neon_a53": ["-fno-schedule-insns", "-fno-schedule-insns2"],  # the order of the source is the schedule
}

# Flags of each instruction set beyond MCPRUNER_COPTS. Sources include <hwy/highway.h>, which needs nothing else.
SIMD_COPTS = {
    "scalar": ["-DHWY_COMPILE_ONLY_SCALAR"],
    "neon": _NEON + ["-mtune=cortex-a73"],
    "neon_a53": _NEON + ["-mtune=cortex-a53", "-DMCPRUNER_IN_ORDER=1"],
    "avx2": _AVX2,
    "avx512": _AVX2 + [
        "-mavx512f",
        "-mavx512bw",
        "-mavx512cd",
        "-mavx512dq",
        "-mavx512vl",
        "-mprefer-vector-width=512",
    ],
}

_X86_64 = ["scalar", "avx2", "avx512"]
_AARCH64 = ["scalar", "neon"]

def simd_library(name, srcs, hdrs = [], deps = [], in_order = False, visibility = None):
    """Compiles the same sources once per instruction set of the CPU that is built for.

    Makes the libraries <name>_<set>, and <name> which is all of them that suit the CPU. The macro
    MCPRUNER_SIMD_TARGET is the set's name (an identifier: scalar, neon, neon_a53, avx2, avx512); everything with external
    linkage in these sources must carry it in its name or namespace, inline functions of shared headers included: the
    linker keeps one copy of those, and it could be one that an older CPU cannot run.

    Args:
      name: name of the library of all sets.
      srcs: sources, compiled for each set.
      hdrs: headers of the sources.
      deps: what the sources need beside Highway.
      in_order: whether there is a schedule of its own for cores that run in order (neon_a53).
      visibility: as everywhere.
    """
    for target, copts in SIMD_COPTS.items():
        native.cc_library(
            name = name + "_" + target,
            srcs = srcs,
            hdrs = hdrs,
            copts = MCPRUNER_COPTS + copts + select({
                "//tools:clang": [],
                "//conditions:default": _GCC_COPTS.get(target, []),
            }),
            local_defines = ["MCPRUNER_SIMD_TARGET=" + target],
            tags = ["manual"],  # //... must not build AVX for aarch64
            deps = deps + ["//third_party:highway"],
        )
    native.cc_library(
        name = name,
        visibility = visibility,
        deps = select({
            "//tools:x86_64": [":%s_%s" % (name, target) for target in _X86_64],
            "//tools:aarch64": [":%s_%s" % (name, target) for target in _AARCH64 + (["neon_a53"] if in_order else [])],
        }),
    )
