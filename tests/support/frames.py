"""Every frame that a test's socket sees is held to `docs/asyncapi.yaml`: its type, each field, and none beside them."""

from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from tests.support.contract import closed


def check(frame: dict[str, Any]) -> None:
    """Hold a frame from the server to the document; AssertionError where it differs."""
    known = _validators().get(frame["type"], [])
    if not any(each.is_valid(frame) for each in known):
        raise AssertionError([str(fault) for each in known for fault in each.iter_errors(frame)][:3], frame)


@cache
def _validators() -> dict[str, list[Any]]:
    """The validators of each type; an `ack` looks as the command wants that it answers."""
    text = Path("docs/asyncapi.yaml").read_text()
    components = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))["components"]  # noqa: S506
    schemas = {"components": {"schemas": closed(components["schemas"])}}
    payloads: defaultdict[str, list[Any]] = defaultdict(list)
    for name, message in components["messages"].items():
        if not name.endswith(".command") and message["payload"] not in payloads[message["name"]]:
            payloads[message["name"]].append(message["payload"])
    return {
        name: [jsonschema_rs.validator_for({**closed(each), **schemas}) for each in found]
        for name, found in payloads.items()
    }
