"""docs/mobile.md does what it says, example by example."""

from pathlib import Path

import pytest

from tests.support.client import Client
from tests.support.examples import BLOCK, Examples
from tests.support.server import Server

PAGE = Path("docs/mobile.md").read_text()


async def test_every_example_of_the_page_does_what_it_says(server: Server) -> None:
    async with Client(server.url) as client:
        examples = Examples(client)
        await examples.run(PAGE)
    assert examples.done >= 25
    assert PAGE.count("```") == 2 * len(BLOCK.findall(PAGE))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [('"position": 1, "version": 1', '"position": 1, "version": 2'), ("HTTP/1.1 201", "HTTP/1.1 200"), ("Yes!", "No!")],
)
async def test_an_example_that_is_wrong_is_found(server: Server, right: str, wrong: str) -> None:
    before, _, after = PAGE.rpartition(right)
    async with Client(server.url) as client:
        with pytest.raises(AssertionError, match=r"^line \d+"):
            await Examples(client).run(before + wrong + after)
