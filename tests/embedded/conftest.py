"""A folder of its own for each test, outside of pytest's, whose folders other users may not enter."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatproject.embedded.folder import Folder


@pytest.fixture
def folder() -> Iterator[Folder]:
    with tempfile.TemporaryDirectory(prefix="parley-test-") as place:
        yield Folder(Path(place))
