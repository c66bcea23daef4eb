"""A follower that records, for the tests of this room."""

from collections.abc import Iterator

import pytest

from tests.conversations.change_log.recorder import Recorder, table_of_recorders


@pytest.fixture
def recorder(data: None) -> Iterator[Recorder]:
    with table_of_recorders():
        yield Recorder()
