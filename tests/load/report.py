"""The figures for people and for programs: a table, JSON, and the page in docs/."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatproject.embedded.data_folder import PROJECT

PAGE = PROJECT / "docs/performance.md"
DATA = PROJECT / "docs/performance.json"
BEGIN = "<!-- figures: written by `make bench BENCH_ARGS=--write` -->"
END = "<!-- end of figures -->"

Results = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: where it stands, what it is called, and what it ought to be."""

    scenario: str
    figure: str
    title: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    higher_is_better: bool = False
    has_ratio: bool = True

    def goal(self) -> str:
        if self.least is not None:
            return f"≥ {self.least:,g}"
        return f"≤ {self.most:,g}" if self.most is not None else ""

    def is_met(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


LINES = (
    Line("pairs", "at_most_rate", "100 pairs, at most", "messages/s", least=8000, higher_is_better=True),
    Line("pairs", "at_most_window", "… with so many under way in each", has_ratio=False),
    Line("pairs", "at_most_p50", "… p50", "ms"),
    Line("pairs", "at_most_p99", "… p99", "ms"),
    Line("pairs", "at_most_server_us", "… CPU of the web process", "µs a message"),
    Line("pairs", "calm_rate", "100 pairs, at 30 % of that", "messages/s", has_ratio=False),
    Line("pairs", "calm_p50", "… p50", "ms", most=2),
    Line("pairs", "calm_p99", "… p99", "ms", most=10),
    Line("pairs", "calm_server_us", "… CPU of the web process", "µs a message"),
    Line("group", "at_most_rate", "a group of 500, at most", "deliveries/s", least=60000, higher_is_better=True),
    Line("group", "at_most_p50", "… p50", "ms"),
    Line("group", "at_most_p99", "… p99", "ms"),
    Line("group", "at_most_server_us", "… CPU of the web process", "µs a delivery"),
    Line("group", "calm_rate", "a group of 500, at 30 % of that", "deliveries/s", has_ratio=False),
    Line("group", "calm_p50", "… p50", "ms"),
    Line("group", "calm_p99", "… p99", "ms"),
    Line("idle", "kib_each", "an idle socket", "KiB", most=28),
    Line("idle", "connects_a_second", "sockets opened, 50 at a time", "sockets/s", higher_is_better=True),
    Line("missed", "pages_ms", "1,000 missed messages, by `changes`", "ms", most=1000),
    Line("missed", "socket_ms", "1,000 missed messages, over the socket", "ms", most=1000),
    Line(
        "change_log",
        "server_us_ratio",
        "the change log at 3,000 messages/s: CPU of the web process",
        "times",
        most=1.03,
    ),
    Line("change_log", "append_ms_ratio", "… mean time of the append", "times", most=1.03),
    Line("change_log", "p99_ms_ratio", "… p99", "times", most=1.1),
    Line("change_log", "full_server_us_ratio", "… CPU of the web process at full load", "times", most=1.03),
    Line("change_log", "full_rate_ratio", "… messages at full load", "times", least=0.97),
    Line("change_log", "backlog_rate", "a follower that counts works off a backlog", "messages/s", least=10_000),
    Line("change_log", "followed_rate", "messages at full load while it follows", "messages/s", least=10_000),
    Line("change_log", "followed_us", "… its CPU", "µs a message"),
    Line("change_log", "followed_delay_ms", "… its delay at full load", "ms"),
    Line("change_log", "rest_delay_ms", "… its delay at rest", "ms", most=200),
    Line("reading", "many_rate", "pages of 50 messages by REST, 16 clients", "pages/s", least=1500),
    Line("reading", "many_p99", "… p99", "ms"),
    Line("reading", "many_server_us", "… CPU of the web process", "µs a page"),
    Line("reading", "alone_p50", "… one client alone, p50", "ms", most=2),
    Line("reading", "view_set_rate", "the same by the view set", "pages/s"),
    Line("reading", "view_set_server_us", "… CPU of the web process", "µs a page"),
    Line("connecting", "connected_ms", "connected, with 2,000 conversations", "ms", most=500),
)
"""What is shown, and the goals. The one that stands against the baseline is `TIMES`."""
TIMES = 30
DISTURBED = 0.05
"""Cores' worth that others may use before the figures come with a warning."""


def table(results: Results) -> str:
    """Lay the figures out as Markdown, which a terminal shows well enough."""
    rows: list[tuple[str, ...]] = [("", "Parley", "the usual stack", "ratio", "goal", "")]
    rows += [_row(line, results) for line in LINES if _value(line, results, "parley") is not None]
    if (times := _times(results)) is not None:
        verdict = _met(times >= TIMES) if results["like_for_like"] else "not like for like"
        rows.append(("100 pairs, against the usual stack", f"{times:,.3g} times", "1", "", f"≥ {TIMES}", verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(_padded(row, widths)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def notes(results: Results) -> str:
    """Say what the figures were measured on, what was lost, and what may have disturbed them."""
    about = ", ".join(f"{name} {value}" for name, value in results["about"].items())
    return "\n\n".join([f"{about}.", _losses(results), *_warnings(results)])


def written(results: Results, page: Path = PAGE, data: Path = DATA) -> None:
    """Put the figures into the page, between its marks, and beside it as JSON."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{table(results)}\n\n{notes(results)}\n\n{END}{after}")
    data.write_text(json.dumps(results, indent=2) + "\n")


def something_went_wrong(results: Results) -> bool:
    """Tell whether anything was lost, doubled or refused, in whichever system."""
    found = [each for system in ("parley", "usual") for each in results.get(system, {}).values()]
    return any(each.get(name) for each in found for name in ("lost", "doubled", "errors"))


def _row(line: Line, results: Results) -> tuple[str, ...]:
    ours, theirs = _value(line, results, "parley"), _value(line, results, "usual")
    assert ours is not None
    goal = line.goal()
    return (
        line.title,
        _shown(ours, line.unit),
        _shown(theirs, line.unit) if theirs is not None else "",
        _ratio(ours, theirs, higher_is_better=line.higher_is_better) if theirs and line.has_ratio else "",
        goal,
        _met(line.is_met(ours)) if goal else "",
    )


def _value(line: Line, results: Results, system: str) -> float | None:
    found: float | None = results.get(system, {}).get(line.scenario, {}).get(line.figure)
    return found


def _times(results: Results) -> float | None:
    line = LINES[0]
    ours, theirs = _value(line, results, "parley"), _value(line, results, "usual")
    return ours / theirs if ours and theirs else None


def _shown(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"
    return f"{text} {unit}".strip()


def _ratio(ours: float, theirs: float, *, higher_is_better: bool) -> str:
    ratio = ours / theirs if higher_is_better else theirs / ours
    return f"{ratio:,.3g}"


def _met(is_met: bool) -> str:
    return "met" if is_met else "not met"


def _padded(row: tuple[str, ...], widths: list[int]) -> list[str]:
    return [text.ljust(width) for text, width in zip(row, widths, strict=True)]


def _losses(results: Results) -> str:
    """Say of every system and scenario how much was lost and doubled."""
    counts = [
        f"{system}, {name}: {found['expected']:,} expected, {found['lost']:,} lost, {found['doubled']:,} doubled"
        for system in ("parley", "usual")
        for name, found in results.get(system, {}).items()
        if "expected" in found
    ]
    return f"{'; '.join(counts)}." if counts else ""


def _warnings(results: Results) -> list[str]:
    """Say what speaks against the figures."""
    return [*_unacknowledged(results), *_disturbed(results)]


def _unacknowledged(results: Results) -> list[str]:
    if results["like_for_like"]:
        return []
    return ["Parley's sockets take no `delivered` frames: it was spared the acknowledgements that the usual stack had."]


def _disturbed(results: Results) -> list[str]:
    scenarios = results.get("parley", {}).values()
    worst = max((value for each in scenarios for name, value in each.items() if name.endswith("_others")), default=0)
    if worst <= DISTURBED:
        return []
    return [f"Other processes took up to {worst:.2g} cores of the machine meanwhile: it can do more than this."]
