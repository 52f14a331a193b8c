"""Header-only libraries that Debian installs under /usr/include, as Bazel repositories."""

_BUILD = """
cc_library(
    name = "headers",
    hdrs = glob(["include/**"]),
    includes = ["include"],
    visibility = ["//visibility:public"],
)
"""

def _system_headers_impl(ctx):
    folder = ctx.path("/usr/include/" + ctx.attr.folder)
    if not folder.exists:
        fail("%s is missing; run tools/setup.sh, which installs it" % folder)

    # A link to the one folder: /usr/include itself as an include path would break libstdc++'s #include_next, and
    # a cross compiler must not see the rest of it.
    ctx.symlink(folder, "include/" + ctx.attr.folder)
    ctx.file("BUILD", _BUILD)

system_headers = repository_rule(
    implementation = _system_headers_impl,
    attrs = {"folder": attr.string(mandatory = True, doc = "Folder below /usr/include.")},
    local = True,
    doc = "Repository with one target, :headers, of the header files in /usr/include/<folder>.",
)
