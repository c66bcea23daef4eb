"""What the database says, read past the product: rows by SQL, texts opened by our own reading of their format."""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from psycopg.rows import namedtuple_row

from tests.faults.replica import Said

PRESENT = float("inf")
UNREAD_CAP = 100

PLACES = """
SELECT p.conversation_id::text, p.user_id::text, p.visible_from, p.joined_version, p.left_version,
    p.read_through, p.delivered_through
FROM conversations_participant p WHERE p.conversation_id IN (
    SELECT q.conversation_id FROM conversations_participant q WHERE q.user_id = ANY(%s::uuid[])
)
"""
CONVERSATIONS = (
    "SELECT id::text, version, last_position, owner_id::text FROM conversations_conversation WHERE id = ANY(%s::uuid[])"
)
MESSAGES = """
SELECT id::text, conversation_id::text, position, version, sender_id::text, kind, body, reply_to_id::text, edited_at,
    deleted_at, mentions::text[] AS mentions,
    CASE WHEN version = position THEN extract(epoch FROM pg_xact_commit_timestamp(xmin))::float END AS committed_at
FROM messaging_message WHERE conversation_id = ANY(%s::uuid[]) ORDER BY conversation_id, position
"""
REACTIONS = (
    "SELECT message_id::text, user_id::text, emoji FROM messaging_reaction WHERE conversation_id = ANY(%s::uuid[])"
)


class Place(NamedTuple):
    """A person's place in a conversation, as it is stored."""

    conversation_id: str
    user_id: str
    visible_from: int
    joined_version: int
    left_version: int | None
    read_through: int
    delivered_through: int


class Stored(NamedTuple):
    """A message as it is stored."""

    id: str
    conversation_id: str
    sender_id: str
    said: Said
    mentions: list[str]
    notice: dict[str, Any] | None
    committed_at: float | None


class Conversation(NamedTuple):
    """A conversation's row."""

    id: str
    version: int
    last_position: int
    owner_id: str | None


@dataclass
class Truth:
    """Everything there is about some people's conversations."""

    conversations: dict[str, Conversation]
    places: list[Place]
    messages: dict[str, Stored]
    by_conversation: defaultdict[str, list[Stored]] = field(default_factory=lambda: defaultdict(list))

    _stays: dict[str, dict[str, list[list[float]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for message in self.messages.values():
            self.by_conversation[message.conversation_id].append(message)
        self.committed = {(m.conversation_id, m.said.position): m.committed_at for m in self.messages.values()}

    def present(self, user_id: str) -> dict[str, Place]:
        """The places of someone who is in, by conversation."""
        mine = (place for place in self.places if place.user_id == user_id and place.left_version is None)
        return {place.conversation_id: place for place in mine}

    def members(self, conversation_id: str) -> set[str]:
        """Who is in."""
        return {p.user_id for p in self.places if p.conversation_id == conversation_id and p.left_version is None}

    def visible(self, place: Place) -> dict[str, Stored]:
        """The messages that may be seen from a place."""
        found = self.by_conversation[place.conversation_id]
        return {message.id: message for message in found if message.said.position > place.visible_from}

    def unread(self, place: Place) -> tuple[int, int]:
        """Count what someone has not read, and what of that mentions them."""
        unread = [m for m in self.visible(place).values() if m.said.position > place.read_through]
        others = [m for m in unread if m.sender_id != place.user_id and not m.said.content[5]]
        messages = sum(m.notice is None for m in others)
        return min(messages, UNREAD_CAP), min(sum(place.user_id in m.mentions for m in others), UNREAD_CAP)

    def stays(self, conversation_id: str) -> dict[str, list[list[float]]]:
        """From which to which version each person was in."""
        if conversation_id not in self._stays:
            self._stays[conversation_id] = self._find_stays(conversation_id)
        return self._stays[conversation_id]

    def _find_stays(self, conversation_id: str) -> dict[str, list[list[float]]]:
        """Find it by the notices: each stands one version behind what it tells."""
        found = {p.user_id: [[0, PRESENT]] for p in self.places if p.conversation_id == conversation_id}
        begun = set()
        for message in self.by_conversation[conversation_id]:
            at, notice = message.said.position - 1, message.notice
            for user_id in notice["user_ids"] if notice else ():
                if notice["event"] == "joined":
                    # Whoever is seen to come for the first time was not there before.
                    found[user_id] = [*(found[user_id] if user_id in begun else ()), [at, PRESENT]]
                    begun.add(user_id)
                elif notice["event"] in {"left", "removed"}:
                    found[user_id][-1][1] = at
                    begun.add(user_id)
        return found


def read(database_url: str, keys: str, people: Collection[str]) -> Truth:
    """Read it all in one snapshot."""
    opened = Bodies(keys)
    with psycopg.connect(database_url, row_factory=namedtuple_row) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        places = [Place(*row) for row in connection.execute(PLACES, [list(people)])]
        ids = [list({place.conversation_id for place in places})]
        conversations = {row.id: Conversation(*row) for row in connection.execute(CONVERSATIONS, ids)}
        reactions: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in connection.execute(REACTIONS, ids):
            reactions[row.message_id][row.emoji].add(row.user_id)
        messages = {row.id: _stored(row, reactions[row.id], opened) for row in connection.execute(MESSAGES, ids)}
    return Truth(conversations, places, messages)


def _stored(row: Any, reactions: dict[str, set[str]], bodies: "Bodies") -> Stored:
    is_notice = row.kind == "notice"
    text = bodies.open(row) if row.body is not None and row.deleted_at is None else ""
    who = frozenset((emoji, frozenset(users)) for emoji, users in reactions.items())
    shown, times = "" if is_notice else text, (_shown(row.edited_at), _shown(row.deleted_at))
    content = (row.kind, row.sender_id, shown, row.reply_to_id, *times, who, frozenset(row.mentions or ()))
    notice = orjson.loads(text) if is_notice else None
    said = Said(row.position, row.version, content)
    return Stored(row.id, row.conversation_id, row.sender_id, said, row.mentions or [], notice, row.committed_at)


def _shown(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z" if moment else None


class Bodies:
    """Opens what is sealed: format (1 byte), key id (4), nonce (12), AES-256-GCM under the conversation's subkey.

    Format 2 is bound to its format too, and holds a digest of 32 bytes before the text.
    """

    def __init__(self, keys: str) -> None:
        ring = [base64.urlsafe_b64decode(key) for key in keys.split(",")]
        self._ring = {hashlib.sha256(b"parley key id" + key).digest()[:4]: key for key in ring}
        self._ciphers: dict[tuple[bytes, str], AESGCM] = {}

    def open(self, row: Any) -> str:
        """Give the text of a message."""
        field, conversation = (
            "notice" if row.kind == "notice" else "body",
            bytes.fromhex(row.conversation_id.replace("-", "")),
        )
        bound_to = field.encode() + bytes.fromhex(row.id.replace("-", "")) + conversation
        cipher = self._cipher(row.body[1:5], conversation)
        if row.body[0] == 2:
            return cipher.decrypt(row.body[5:17], row.body[17:], b"\x02" + bound_to)[32:].decode()
        return cipher.decrypt(row.body[5:17], row.body[17:], bound_to).decode()

    def _cipher(self, key_id: bytes, conversation: bytes) -> AESGCM:
        known = (key_id, conversation.hex())
        if known not in self._ciphers:
            kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"parley conversation" + conversation)
            self._ciphers[known] = AESGCM(kdf.derive(self._ring[key_id]))
        return self._ciphers[known]
