"""The class paths in uvicorn's command line: those of former versions are in use, and have to work."""

import pytest
from uvicorn.importer import import_from_string

from chatproject.embedded.application import UVICORN


@pytest.mark.parametrize(
    ("former", "current"),
    [
        ("chatproject.sockets:ChatSocket", "chatproject.server.websocket:ChatSocket"),
        ("chatproject.connections:ChatHttp", "chatproject.server.http:ChatHttp"),
    ],
)
def test_a_former_class_path_leads_to_the_current_class(former: str, current: str) -> None:
    assert import_from_string(former) is import_from_string(current)
    assert any(option.endswith(f"={current}") for option in UVICORN)
