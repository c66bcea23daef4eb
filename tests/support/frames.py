"""What was declared of the frames, held against every frame that a test's socket sees."""

from functools import cache
from typing import Any

import jsonschema_rs

from messaging.frames import ACKNOWLEDGED, Schemas
from tests.support.contract import closed

ANSWERS = {"ack", "error", "pong"}


def check(frame: dict[str, Any]) -> None:
    """Fail for a frame that is not declared to the letter: its type, each field, and no field beside them."""
    name = frame["type"]
    assert set(frame) - {"ref"} == {"type", "data"}, frame
    assert "ref" not in frame or name in ANSWERS, frame
    known = [_validators()[f"{each}.ack"] for each in ACKNOWLEDGED] if name == "ack" else [_validators()[name]]
    if not any(each.is_valid(frame["data"]) for each in known):
        raise AssertionError([str(fault) for each in known for fault in each.iter_errors(frame["data"])][:3], frame)


@cache
def _validators() -> dict[str, Any]:
    known = Schemas()
    components = {"schemas": closed(known.components)}
    schemas = known.data | {f"{name}.ack": schema for name, schema in known.acks.items()}
    return {name: jsonschema_rs.validator_for({**schema, "components": components}) for name, schema in schemas.items()}
