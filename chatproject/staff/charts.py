"""Small bar charts for SVG, computed on the server; a template only writes the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 300, 60
GAP = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: its number, and the rectangle of its bar in a picture of `WIDTH` by `HEIGHT`."""

    day: date
    number: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar for each day. The page also shows the numbers as a table, for people who cannot see the picture."""

    id: str
    title: str
    bars: Sequence[Bar]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def total(self) -> int:
        return sum(bar.number for bar in self.bars)

    @property
    def most(self) -> int:
        return max((bar.number for bar in self.bars), default=0)


def chart(id: str, title: str, days: Sequence[tuple[date, int]]) -> Chart:
    """Compute a bar for each day; the highest fills the picture, and every number above 0 stays visible."""
    step, most = WIDTH / max(len(days), 1), max((number for _, number in days), default=0)
    heights = [max(1.0, round(HEIGHT * number / most, 1)) if number else 0.0 for _, number in days]
    bars = [
        Bar(day, number, round(step * index, 2), HEIGHT - high, round(step - GAP, 2), high)
        for index, ((day, number), high) in enumerate(zip(days, heights, strict=True))
    ]
    return Chart(id, title, bars)
