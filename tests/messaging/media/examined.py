"""The examining program without a server: the result and the copy for some bytes."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from messaging.media.sanitizer.result import ExaminationResult
from messaging.media.sanitizer.runner import examine

ENOUGH = 16 * 1024**2


class Examined(NamedTuple):
    """The result, and the copy."""

    found: ExaminationResult
    copy: bytes


def examined(data: bytes, content_type: str, *, most: int = ENOUGH) -> Examined:
    """Examine some bytes; Refusal if they are refused."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "source").write_bytes(data)
        return Examined(examine(content_type, folder, max_bytes=most), (folder / "copy").read_bytes())
