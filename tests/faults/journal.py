"""What all devices of a run tried and were promised, and what was found wrong."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

LOST = "lost"
DOUBLED = "doubled"
OUT_OF_ORDER = "out of order"
DIFFERENT = "different"
UNREAD = "unread wrong"
AFTER_REMOVAL = "heard after removal"
UNEXPECTED = "unexpected answers"
KINDS = (LOST, DOUBLED, OUT_OF_ORDER, DIFFERENT, UNREAD, AFTER_REMOVAL, UNEXPECTED)


class Finding(NamedTuple):
    """One thing that must not have happened."""

    kind: str
    said: str


class Saying(NamedTuple):
    """A message that somebody tried to send. The first word of its text is in no other's."""

    id: str
    conversation_id: str
    sender_id: str
    text: str


@dataclass
class Journal:
    """Promises and attempts by message id, and findings."""

    sayings: dict[str, Saying] = field(default_factory=dict)
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """What was sent once and refused: nothing of it may be stored. Of the rest an earlier try may be under way."""
    changes: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """Edits, deletions and reactions that were acknowledged: the message as it was then."""
    texts: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Every text that a message may have, edits that nobody answered included."""
    findings: list[Finding] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)

    def say(self, saying: Saying) -> None:
        """Note what is about to be sent."""
        self.sayings[saying.id] = saying
        self.texts[saying.id].add(saying.text)

    def acknowledge(self, message: dict[str, Any]) -> None:
        """Note a promise; a second one about the same message must be the same."""
        known = self.acknowledged.setdefault(message["id"], message)
        self.answered["acknowledged"] += known is message
        self.answered["acknowledged again"] += known is not message
        if known["position"] != message["position"]:
            self.find(DOUBLED, f"{message['id']} was acknowledged at {known['position']} and {message['position']}")

    def refuse(self, id: str, code: str, *, tries: int) -> None:
        """Note that a message was refused, and will not be sent again."""
        if tries == 1:
            self.refused[id] = code
        self.answered[f"refused: {code}"] += 1
        if code not in {"not_found", "blocked", "not_allowed"}:
            self.find(UNEXPECTED, f"{id} was refused: {code}")

    def hold(self, check: Callable[[Any], None], said: Any) -> None:
        """Hold what a server said to the contract, with a check that raises AssertionError."""
        try:
            check(said)
        except AssertionError as fault:
            self.find(UNEXPECTED, str(fault)[:400])

    def find(self, kind: str, said: str) -> None:
        """Note something that must not have happened."""
        self.findings.append(Finding(kind, said))

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in KINDS}
