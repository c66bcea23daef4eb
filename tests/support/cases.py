"""Files that were once refused, or came out as something else."""

from pathlib import Path

CASES = Path(__file__).resolve().parents[1] / "messaging" / "media" / "cases"


def case(name: str) -> bytes:
    """Read one of them."""
    return (CASES / name).read_bytes()
