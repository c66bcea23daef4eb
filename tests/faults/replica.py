"""What a device knows, kept by the contract's client rule and by nothing else; what breaks the contract is noted."""

import time
from collections import defaultdict
from typing import Any, NamedTuple

from tests.faults.journal import AFTER_REMOVAL, DOUBLED, OUT_OF_ORDER, Journal


class Said(NamedTuple):
    """A message as a device keeps it."""

    position: int
    version: int
    content: tuple[Any, ...]

    @classmethod
    def of(cls, message: dict[str, Any]) -> "Said":
        """Keep what matters of a message as the contract shows it."""
        reactions = frozenset((each["emoji"], frozenset(each["user_ids"])) for each in message["reactions"])
        names = ("kind", "sender_id", "text", "reply_to_id", "edited_at", "deleted_at")
        return cls(
            message["position"],
            message["version"],
            (*(message[name] for name in names), reactions, frozenset(message["mentions"])),
        )


class Known:
    """A conversation as a device keeps it."""

    def __init__(self, conversation: dict[str, Any]) -> None:
        self.id: str = conversation["id"]
        self.version = 0
        self.owner_id: str | None = None
        self.is_group = conversation["kind"] == "group"
        self.visible_from = -1
        self.members: set[str] = set()
        self.messages: dict[str, Said] = {}
        self.end = 0
        """The position of the newest message."""
        self.mark = 0
        """How far its person said that it was read."""
        self.delivered = 0
        """How far it said that everything is here."""
        self.take(conversation)

    def take(self, conversation: dict[str, Any]) -> None:
        """Take what is shown of the conversation itself, but not its version: that one goes with the messages."""
        self.owner_id = conversation["owner_id"]
        self.members = {each["user"]["id"] for each in conversation["participants"]}
        visible_from = conversation["me"]["visible_from"]
        if visible_from != self.visible_from:
            self.visible_from, self.mark, self.delivered = visible_from, 0, 0
            self.messages = {id: said for id, said in self.messages.items() if said.position > visible_from}
            self.end = max((said.position for said in self.messages.values()), default=0)

    def put(self, message: dict[str, Any]) -> None:
        """Keep a message as it is now."""
        self.messages[message["id"]] = Said.of(message)
        self.end = max(self.end, message["position"])

    def change(self, changes: dict[str, Any]) -> None:
        """Take what has changed of the conversation itself."""
        members = changes.get("participants", {})
        self.members |= {each["user"]["id"] for each in members.get("added", ())}
        self.members -= set(members.get("removed", ()))
        self.owner_id = changes.get("owner_id", self.owner_id)


class Replica:
    """The conversations of one device, and what it heard of them when."""

    def __init__(self, name: str, journal: Journal) -> None:
        self.name = name
        self.conversations: dict[str, Known] = {}
        self.cursor: str | None = None
        self.generation: int | None = None
        """The generation of the database on which all of this is based."""
        self.hearings: dict[tuple[str, int], float] = {}
        """When a version was first heard over a socket."""
        self.begun: dict[str, int] = {}
        """The version with which a conversation was last introduced."""
        self.goings: defaultdict[str, list[float]] = defaultdict(list)
        """When it was told that its person is out of a conversation."""
        self._journal = journal
        self._heard: dict[str, int] = {}

    def connect(self, generation: int) -> None:
        """Begin to hear a new socket, whose order is its own; of another generation, begin with nothing."""
        self._heard = {}
        if self.generation not in (None, generation):
            self.begin_anew()
        self.generation = generation

    def begin_anew(self) -> None:
        """Forget everything that it knows: a backup was restored, or its cursor is too old."""
        self.cursor = None
        self.conversations.clear()

    def hear(self, type: str, data: dict[str, Any]) -> None:
        """Note when an event arrived, and that each arrives once and in order."""
        match type:
            case "conversation.created":
                self._heard[data["id"]] = self.begun[data["id"]] = data["version"]
            case "conversation.removed":
                self._heard.pop(data["conversation_id"], None)
                self.goings[data["conversation_id"]].append(time.time())
            case "message.created" | "message.updated" | "conversation.updated":
                self._hear_version(data["conversation_id"], data["version"])

    def _hear_version(self, id: str, version: int) -> None:
        last = self._heard.get(id, -1)
        if version <= last:
            kind = DOUBLED if version == last else OUT_OF_ORDER
            self._journal.find(kind, f"{self.name} heard {version} of {id} behind {last}")
        self._heard[id] = version
        self.hearings.setdefault((id, version), time.time())

    def apply(self, type: str, data: dict[str, Any]) -> str | None:
        """Do with one event what the client rule says; give the conversation whose changes are to be asked for."""
        match type:
            case "conversation.created":
                return self._begin(data)
            case "conversation.removed":
                self.forget(data["conversation_id"])
            case "resync":
                return data.get("conversation_id", "")
            case "message.created" | "message.updated" | "conversation.updated":
                return self._follow(type, data)
        return None

    def forget(self, id: str) -> None:
        """Give a conversation up."""
        self.conversations.pop(id, None)

    def begin(self, conversation: dict[str, Any]) -> Known:
        """Take a conversation as it is shown, keeping what was known of it and may still be seen."""
        known = self.conversations.setdefault(conversation["id"], Known(conversation))
        known.take(conversation)
        return known

    def _begin(self, conversation: dict[str, Any]) -> str:
        id = conversation["id"]
        self.conversations[id] = Known(conversation)
        return id

    def _follow(self, type: str, data: dict[str, Any]) -> str | None:
        id, version = data["conversation_id"], data["version"]
        known = self.conversations.get(id)
        if known is None or version <= known.version:
            return None
        if version > known.version + 1:
            self._journal.find(OUT_OF_ORDER, f"{self.name} heard {version} of {id} after {known.version}")
            return id
        known.version = version
        if type == "conversation.updated":
            known.change(data["changes"])
        else:
            self._put(known, type, data["message"])
        return None

    def _put(self, known: Known, type: str, message: dict[str, Any]) -> None:
        if type == "message.created" and message["id"] in known.messages:
            self._journal.find(DOUBLED, f"{self.name} was told of {message['id']} twice")
        if message["position"] <= known.visible_from:
            self._journal.find(AFTER_REMOVAL, f"{self.name} heard {message['id']}, from before its time")
        known.put(message)
