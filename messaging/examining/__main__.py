"""`python -m messaging.examining TYPE SOURCE COPY THUMBNAIL`: one JSON object on the output, and exit code 0.

It holds `reason`, in words for people, where the bytes are not what they were said to be or too much; else what a
`Finding` has. Any other end, by its limits or by a fault of a decoder, is for the caller to take as a refusal.
"""

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from messaging.examining.films import examine_film
from messaging.examining.finding import Refusal
from messaging.examining.pictures import examine_picture

MEMORY_BYTES = 2 * 1024**3
CPU_SECONDS = 120


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    content_type, *paths = sys.argv[1:]
    source, copy, thumbnail = map(Path, paths)
    examine = examine_picture if content_type.startswith("image/") else examine_film
    try:
        said = asdict(examine(content_type, source, copy=copy, thumbnail=thumbnail))
    except Refusal as refusal:
        said = {"reason": str(refusal)}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
