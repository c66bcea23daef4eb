"""`python -m messaging.media.sanitizer TYPE FOLDER MOST`: one JSON object on the output, and exit code 0.

The folder holds `source`, and `copy` and `thumbnail`, which are empty: they are written, the latter perhaps, with at
most so many bytes each. The object holds `reason`, in words for people, where the bytes are not what they were said to
be or too much; else what a `Finding` has. Any other end, by its limits or by a fault of a decoder, is for the caller to
take as a refusal.
With `measures` as the type nothing is looked at: the object tells which measures confine the program on this system.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from messaging.media.sanitizer.images import examine_picture
from messaging.media.sanitizer.result import Refusal
from messaging.media.sanitizer.sandbox import ASK_MEASURES, COPY, SOURCE, THUMBNAIL, confine
from messaging.media.sanitizer.video import examine_film


def main() -> None:
    content_type, folder, most = sys.argv[1:]
    measures = confine(Path(folder), most=int(most))
    print(json.dumps(measures if content_type == ASK_MEASURES else _examine(content_type)))


def _examine(content_type: str) -> dict[str, Any]:
    examine = examine_picture if content_type.startswith("image/") else examine_film
    try:
        return asdict(examine(content_type, SOURCE, copy=COPY, thumbnail=THUMBNAIL))
    except Refusal as refusal:
        return {"reason": str(refusal)}


if __name__ == "__main__":
    main()
