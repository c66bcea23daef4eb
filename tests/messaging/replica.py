"""The state of a device, which follows the contract's rules for clients and nothing else."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async

from accounts.models import User
from conversations.models import Conversation
from messaging.sync import changes as sync
from messaging.sync import history
from messaging.sync.inbox import show_conversation
from tests.messaging.screen import Screen

T = TypeVar("T")
Known = dict[str, Any]
DETAILS = {"name", "description", "avatar_url", "history", "owner_id"}
FLEETING = {"last_message", "changed_at", "me", "participants"}


def known(conversation: dict[str, Any], messages: list[Any]) -> Known:
    """Lay a conversation out as a device keeps it: people and messages by their ids."""
    return {
        **{name: value for name, value in conversation.items() if name not in FLEETING},
        "places": {each["user"]["id"]: _place(each) for each in conversation["participants"]},
        "me": _mine(conversation["me"]),
        "begins": conversation["me"]["visible_from"],
        "messages": {message["id"]: message for message in messages},
    }


def _place(participant: dict[str, Any]) -> tuple[str, str]:
    return participant["role"], participant["joined_at"]


def _mine(me: dict[str, Any]) -> dict[str, Any]:
    """What is someone's own; counters and marks move without an event of their own."""
    return {name: me[name] for name in ("notify", "muted_until", "pinned", "archived", "draft")}


def fresh(user: User) -> dict[str, Known]:
    """Read everything that someone may see, as a device does that comes for the first time."""
    found: dict[str, Known] = {}
    page = sync.sync(by=user)
    shown = {each["id"]: each for each in page.items["conversations"]}
    while page.has_more:
        page = sync.sync(by=user, cursor=page.next)
        shown |= {each["id"]: each for each in page.items["conversations"]}
    for id, conversation in shown.items():
        found[id] = known(conversation, everything_said(user, UUID(id)))
    return found


def everything_said(user: User, id: UUID) -> list[Any]:
    page = history.history(by=user, conversation_id=id, after=0, limit=100)
    said = list(page.items)
    while page.has_more:
        page = history.history(by=user, conversation_id=id, after=page.next, limit=100)
        said += page.items
    return said


class Replica:
    """One device. It hears the hub's frames, and fetches only where the contract tells it to."""

    def __init__(self, user: User, screen: Screen, start: dict[str, Known]) -> None:
        self.user = user
        self.screen = screen
        self.conversations = start

    @classmethod
    async def of(cls, user: User, **options: Any) -> "Replica":
        """Connect, then read: what is heard meanwhile is applied to what was read."""
        screen = await Screen.of(user, **options)
        return cls(user, screen, await sync_to_async(fresh)(user))

    async def catch_up_with(self, wanted: dict[str, Known]) -> None:
        """Apply frames until this device knows what is to be known, or nothing comes any more."""
        try:
            while self.conversations != wanted:
                await self.apply(await self.screen.next(within=6))
        except TimeoutError:
            pass

    async def apply(self, frame: dict[str, Any]) -> None:
        """Do with one frame what the client rule says."""
        data = frame["data"]
        match frame["type"]:
            case "conversation.created":
                await self._begin(data)
            case "conversation.removed":
                self.conversations.pop(data["conversation_id"], None)
            case "conversation.settings":
                if data["conversation_id"] in self.conversations:
                    self.conversations[data["conversation_id"]]["me"] = _mine(data["me"])
            case "resync":
                await self._fetch(data["conversation_id"])
            case _:
                self._apply_in_order(frame["type"], data)

    def _apply_in_order(self, type: str, data: dict[str, Any]) -> None:
        conversation = self.conversations.get(data["conversation_id"])
        if conversation is None or data["version"] <= conversation["version"]:
            return
        assert data["version"] == conversation["version"] + 1, f"{self.user}: a gap before {type} {data}"
        conversation["version"] = data["version"]
        if type == "conversation.updated":
            self._change(conversation, data)
        else:
            self._put(conversation, data["message"])

    def _put(self, conversation: Known, message: dict[str, Any]) -> None:
        conversation["messages"][message["id"]] = message
        conversation["last_position"] = max(conversation["last_position"], message["position"])

    def _change(self, conversation: Known, data: dict[str, Any]) -> None:
        conversation["epoch"] = data["epoch"]
        changes = data["changes"]
        conversation |= {name: value for name, value in changes.items() if name in DETAILS}
        conversation["participant_count"] = changes.get("participant_count", conversation["participant_count"])
        members = changes.get("participants", {})
        for each in (*members.get("added", ()), *members.get("updated", ())):
            conversation["places"][each["user"]["id"]] = _place(each)
        for id in members.get("removed", ()):
            conversation["places"].pop(id, None)

    async def _begin(self, conversation: dict[str, Any]) -> None:
        """Take a conversation as it was told, and read what has been said in it; what was told since comes again."""
        said = await sync_to_async(self._read)(lambda: everything_said(self.user, UUID(conversation["id"])))
        self.conversations[conversation["id"]] = known(conversation, said or [])

    async def _fetch(self, id: str) -> None:
        """Read a conversation anew; what came before the read is older than it, and will be ignored."""

        def read() -> Known:
            shown = show_conversation(by=self.user, conversation_id=UUID(id))
            return known(shown, everything_said(self.user, UUID(id)))

        if found := await sync_to_async(self._read)(read):
            self.conversations[id] = found

    def _read(self, read: Callable[[], T]) -> T | None:
        """Read something of a conversation that this person may be out of by now."""
        try:
            return read()
        except Conversation.DoesNotExist:
            return None


class Sleeper:
    """A device that hears nothing and asks `changes` for each conversation, and `sync` for what else there is."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.conversations = fresh(user)
        self.cursor: str | None = None
        self._walk(None)

    def wake(self) -> None:
        """Ask for everything that happened since the last time."""
        for conversation in self._walk(self.cursor):
            id = conversation["id"]
            mine = self.conversations.get(id)
            is_new = mine is None or mine["begins"] != conversation["me"]["visible_from"]
            before = {} if is_new else mine["messages"]  # type: ignore[index]
            after = 0 if is_new else mine["version"]  # type: ignore[index]
            self._catch_up(id, before, after)

    def _catch_up(self, id: str, messages: dict[str, Any], after: int) -> None:
        while True:
            page = sync.changes(by=self.user, conversation_id=UUID(id), after=after, limit=3)
            messages |= {message["id"]: message for message in page.items["messages"]}
            if not page.has_more:
                break
            after = page.next
        self.conversations[id] = known(page.items["conversation"], list(messages.values()))

    def _walk(self, cursor: str | None) -> list[dict[str, Any]]:
        changed: list[dict[str, Any]] = []
        has_more = True
        while has_more:
            page = sync.sync(by=self.user, cursor=cursor)
            changed += page.items["conversations"]
            for id in page.items["removed"]:
                self.conversations.pop(id, None)
            cursor, has_more = page.next, page.has_more
        self.cursor = cursor
        return changed
