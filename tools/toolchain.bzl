"""A C++ toolchain of Debian's packages, for Bazel to choose by --extra_toolchains (see .bazelrc)."""

load("@bazel_tools//tools/cpp:unix_cc_toolchain_config.bzl", "cc_toolchain_config")
load("@rules_cc//cc:defs.bzl", "cc_toolchain")

# Debian has neither dwp nor llvm-cov of some compilers; Bazel wants them named all the same.
_TOOLS = ["ar", "cpp", "dwp", "gcc", "gcov", "ld", "llvm-cov", "nm", "objcopy", "objdump", "strip"]

def debian_toolchain(name, platform_cpu, cpu, compiler, prefix, include_directories, tools = {}, files = [], **kwargs):
    """Defines :toolchain, which builds for Linux with the compiler and binutils in /usr/bin.

    Args:
      name: of the target for --extra_toolchains.
      platform_cpu: the CPU in @platforms//cpu that it builds for.
      cpu: the same as Bazel's C++ rules name it.
      compiler: its kind, clang or gcc.
      prefix: what stands before each tool's name in /usr/bin.
      include_directories: where its own headers are.
      tools: names of the tools that are not called as Bazel calls them.
      files: what its flags name.
      **kwargs: further arguments of cc_toolchain_config: flags.
    """
    native.toolchain(
        name = name,
        exec_compatible_with = ["@platforms//os:linux"],
        target_compatible_with = [
            "@platforms//cpu:" + platform_cpu,
            "@platforms//os:linux",
        ],
        toolchain = ":" + compiler,
        toolchain_type = "@bazel_tools//tools/cpp:toolchain_type",
    )
    native.filegroup(name = "no_files")
    native.filegroup(
        name = "files",
        srcs = files,
    )
    cc_toolchain(
        name = compiler,
        all_files = ":files",
        compiler_files = ":files",
        dwp_files = ":no_files",
        linker_files = ":no_files",
        objcopy_files = ":no_files",
        strip_files = ":no_files",
        toolchain_config = ":" + compiler + "_config",
    )
    cc_toolchain_config(
        name = compiler + "_config",
        abi_libc_version = "glibc",
        abi_version = compiler,
        compiler = compiler,
        cpu = cpu,
        cxx_builtin_include_directories = include_directories,
        host_system_name = "local",
        target_libc = "glibc",
        target_system_name = platform_cpu + "-linux-gnu",
        tool_paths = {tool: "/usr/bin/" + prefix + tools.get(tool, tool) for tool in _TOOLS},
        toolchain_identifier = platform_cpu + "-" + compiler,
        **kwargs
    )
