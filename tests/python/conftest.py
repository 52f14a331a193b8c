"""Fixtures of the tests of the runtime and the command line."""

import pytest
from small_network import Files, export


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The small network as files."""
    return export(tmp_path_factory.mktemp("small"))
