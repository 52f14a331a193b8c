"""Pruning on several devices: two replicas in a process, two processes, and Keras' own distribution with JAX."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("distributed_training.py")
KERAS_SCRIPT = Path(__file__).with_name("keras_distribution.py")


def start(kind: str, **variables: str) -> subprocess.Popen:
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "", **variables}
    command = [sys.executable, str(SCRIPT), kind]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(process: subprocess.Popen) -> dict:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err[-4000:]
    return json.loads(out.splitlines()[-1])


def check(found: dict) -> None:
    assert found["replicas"] == 2
    assert found["densities"] == pytest.approx([0.25, 0.25], abs=0.02)
    assert found["zeros_agree"]


def test_mirrored_strategy() -> None:
    check(result(start("mirrored")))


def test_workers_have_equal_masks() -> None:
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    configurations = [{"cluster": cluster, "task": {"type": "worker", "index": index}} for index in range(2)]
    workers = [start("workers", TF_CONFIG=json.dumps(configuration)) for configuration in configurations]
    try:
        first, second = map(result, workers)
    finally:
        for worker in workers:
            worker.kill()
    check(first)
    assert first == second


def test_keras_distribution() -> None:
    pytest.importorskip("jax", reason="needs jax, which requirements.txt installs")
    two_devices = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    environment = {**os.environ, "KERAS_BACKEND": "jax", **two_devices}
    command = [sys.executable, str(KERAS_SCRIPT)]
    found = result(
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    )
    assert found["devices"] == 2
    assert found["densities"] == pytest.approx([0.25, 0.25], abs=0.02)
    assert found["history"] == pytest.approx(0.25, abs=0.02)
    assert found["difference"] < 1e-5
