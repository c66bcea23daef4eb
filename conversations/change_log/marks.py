"""Marks: which transactions a follower has seen, as PostgreSQL's own `pg_snapshot` in text form.

`xmin:xmax:xip`: every transaction below `xmax` was over, except those listed in `xip`; none of those below `xmin` is.
An entry is new to a follower if its transaction is at or above `xmax`, or in `xip`. A position in a sequence could not
say that: a transaction that took its number early may commit late.
"""

from collections.abc import Iterable


def extended(mark: str, snapshot: str, *, through: int) -> str:
    """Return the mark of someone who had `mark` and has now seen what `snapshot` sees up to transaction `through`."""
    known, now = _Mark(mark), _Mark(snapshot)
    late = (xid for xid in known.xip if xid > through or xid in now.xip)
    running = (xid for xid in now.xip if known.xmax <= xid <= through)
    return _text({*late, *running}, xmax=max(known.xmax, through + 1))


def without(mark: str, *, xid: int) -> str:
    """Return the same mark, to which one transaction is new, too."""
    known = _Mark(mark)
    return _text({*known.xip, xid}, xmax=known.xmax) if xid < known.xmax else mark


class _Mark:
    def __init__(self, text: str) -> None:
        _, xmax, listed = text.split(":")
        self.xmax = int(xmax)
        self.xip = {int(xid) for xid in listed.split(",") if xid}


def _text(xip: Iterable[int], *, xmax: int) -> str:
    listed = sorted(xip)
    return f"{min(listed, default=xmax)}:{xmax}:{','.join(map(str, listed))}"
