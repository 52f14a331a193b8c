"""Whether this machine has an OpenCL device for the plugin; PoCL, a CPU, will do."""

from __future__ import annotations

import pytest

import mcpruner._native as native


def _why_not() -> str:
    try:
        devices = native.opencl_devices()["devices"]
    except ValueError as error:
        return str(error)
    return devices[0]["unusable"] if devices else "no OpenCL platform has a device"


needs_opencl = pytest.mark.skipif(bool(_why_not()), reason=f"needs an OpenCL device: {_why_not()}")
