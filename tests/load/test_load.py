"""The load tool counts right: what it says was delivered was, on Parley and on the usual stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop
from websockets.frames import Frame as TheirFrame
from websockets.frames import Opcode
from websockets.streams import StreamReader

from tests.load import report, scenarios
from tests.load.baseline import Usual
from tests.load.frames import PING, TEXT, decode, encode
from tests.load.parley import Parley, sociable, start_pair
from tests.load.parley import people as people_of_parley
from tests.load.processes import Web
from tests.load.world import Sizes, World
from tests.support.server import environment

TINY = Sizes(
    pairs=3,
    members=6,
    idle=104,
    missed=130,
    conversations=30,
    seconds=0.3,
    search_seconds=0.2,
    rounds=1,
    windows=(1, 2),
)
LENGTHS = (0, 1, 125, 126, 65_535, 65_536, 100_000)


# Frames, against another's idea of them


def read_by_another(data: bytes) -> TheirFrame:
    """Read a client's frame as a server would."""
    reader = StreamReader()
    reader.feed_data(data)
    parsing = TheirFrame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as end:
        next(parsing)
    found: TheirFrame = end.value.value
    return found


@pytest.mark.parametrize("length", LENGTHS)
def test_a_server_reads_what_the_client_writes(length: int) -> None:
    payload = bytes(n % 251 for n in range(length))
    assert read_by_another(encode(payload, key=b"\x01\x82\xff\x00")).data == payload


@pytest.mark.parametrize("length", LENGTHS)
def test_the_client_reads_what_a_server_writes(length: int) -> None:
    payload = bytes(n % 251 for n in range(length))
    data = TheirFrame(Opcode.TEXT, payload).serialize(mask=False)
    assert decode(b"before" + data + b"after", 6) == (TEXT, payload, 6 + len(data))


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frame_that_is_not_all_there_is_none_yet(length: int) -> None:
    data = TheirFrame(Opcode.TEXT, bytes(length)).serialize(mask=False)
    assert [decode(data[:end]) for end in (0, 1, len(data) - 1)] == [None] * 3


def test_control_frames_keep_their_kind() -> None:
    assert read_by_another(encode(b"beat", key=b"abcd", opcode=PING)).opcode is Opcode.PING


# Scenarios, small


@pytest.fixture
def parley(committed: None) -> Iterator[tuple[Web, World]]:
    system = Parley(environment())
    world = system.world(TINY)
    with system.running() as web:
        yield web, world


def came_through(found: scenarios.Figures) -> bool:
    """Tell whether everything that was said was shown once, and something was."""
    counts = [found[name] for name in ("expected", "delivered", "lost", "doubled", "errors")]
    return counts == [found["expected"], found["expected"], 0, 0, 0] and found["expected"] > 0


@pytest.mark.long
def test_parley_under_load(parley: tuple[Web, World]) -> None:
    server, world = parley
    found = [
        uvloop.run(scenarios.pairs(Parley(), server, world.pairs, TINY)),
        uvloop.run(scenarios.group(Parley(), server, world.group, TINY)),
    ]
    assert all(came_through(each) and each["calm_p99"] >= each["calm_p50"] > 0 for each in found)


@pytest.mark.long
def test_parley_at_rest(parley: tuple[Web, World]) -> None:
    server, world = parley
    away, token = start_pair(people_of_parley(2, name="away")), sociable(TINY.conversations)
    assert uvloop.run(scenarios.idle(server, world.idle))["sockets"] == TINY.idle - scenarios.WARM_SOCKETS
    found = uvloop.run(scenarios.missed(server, away, TINY, by_socket=Parley.catches_up))
    assert found["messages"] == TINY.missed
    assert uvloop.run(scenarios.connecting(server, token, rounds=2))["connected_ms"] > 0


@pytest.mark.long
def test_the_usual_stack_under_load() -> None:
    system = Usual()
    world = system.world(TINY)
    try:
        with system.running() as server:
            found = [
                uvloop.run(scenarios.pairs(system, server, world.pairs, TINY)),
                uvloop.run(scenarios.group(system, server, world.group, TINY)),
            ]
    finally:
        system.drop_database()
    assert all(came_through(each) for each in found)


# The report


def results(rate: float, *, like_for_like: bool = True) -> dict[str, object]:
    about = {"about": {"machine": "two cores"}, "like_for_like": like_for_like}
    return {**about, "parley": {"pairs": {"at_most_rate": rate}}, "usual": {"pairs": {"at_most_rate": 100.0}}}


@pytest.mark.parametrize(("rate", "verdict"), [(2999.0, "not met"), (8000.0, "met")])
def test_the_table_says_what_is_met(rate: float, verdict: str) -> None:
    goals = [line for line in report.table(results(rate)).splitlines() if "≥" in line]
    assert [line.split("|")[-2].strip() for line in goals] == [verdict] * 2


def test_a_comparison_without_acknowledgements_meets_no_goal() -> None:
    unfair = results(8000.0, like_for_like=False)
    assert "not like for like" in report.table(unfair).splitlines()[-1]
    assert "spared" in report.notes(unfair)


def test_the_page_keeps_what_people_wrote(tmp_path: Path) -> None:
    page, data = tmp_path / "page.md", tmp_path / "page.json"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.written(results(9000.0), page, data)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "9,000 messages/s" in text
    assert "old" not in text
