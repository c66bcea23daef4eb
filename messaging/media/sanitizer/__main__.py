"""`python -m messaging.media.sanitizer TYPE FOLDER MOST`: one JSON object on the output, and exit code 0.

The folder contains `source`, and the empty files `copy` and `thumbnail`. The program writes `copy`, and `thumbnail` if
there is a picture, with at most MOST bytes each. The object contains `reason`, a sentence for people, if the file is
refused; else the fields of an `ExaminationResult`. The caller takes any other end, such as a limit or an error of a
decoder, as a refusal.
With `measures` as the type nothing is examined: the object tells which measures confine the program on this system.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from messaging.media.sanitizer.audio_video import examine_audio_video
from messaging.media.sanitizer.images import examine_image
from messaging.media.sanitizer.result import Refusal
from messaging.media.sanitizer.sandbox import ASK_MEASURES, COPY, SOURCE, THUMBNAIL, confine


def main() -> None:
    content_type, folder, max_bytes = sys.argv[1:]
    measures = confine(Path(folder), max_bytes=int(max_bytes))
    print(json.dumps(measures if content_type == ASK_MEASURES else _examine(content_type)))


def _examine(content_type: str) -> dict[str, Any]:
    examine = examine_image if content_type.startswith("image/") else examine_audio_video
    try:
        return asdict(examine(content_type, SOURCE, copy=COPY, thumbnail=THUMBNAIL))
    except Refusal as refusal:
        return {"reason": str(refusal)}


if __name__ == "__main__":
    main()
