"""The documents as files, for everyone: the same that are kept beside the code."""

from pathlib import Path

import pytest

from tests.doors.conftest import Rest


@pytest.mark.parametrize("name", ["openapi.yaml", "asyncapi.yaml"])
def test_a_document_is_served_as_it_is_kept(rest: Rest, name: str) -> None:
    answer = rest().get(f"../{name}")
    assert answer.headers["Content-Type"] == "application/yaml"
    assert answer.content == Path("docs", name).read_bytes()
