"""A folder of its own for each test, outside of pytest's, whose folders other users may not enter."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatproject.embedded.data_folder import DataFolder


@pytest.fixture
def folder() -> Iterator[DataFolder]:
    with tempfile.TemporaryDirectory(prefix="parley-test-") as place:
        yield DataFolder(Path(place))
