"""What people do all the time: they talk, think better of it, react, read, come and go."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import count
from random import Random

import httpx

from tests.faults.device import Device
from tests.faults.replica import Known
from tests.faults.rest import Away
from tests.faults.world import World

EMOJI = ("👍", "❤️", "😂")
OUTBOX_MOST = 12
NEW_GROUPS_MOST = 6
RECENT = 15

_numbers: Iterator[int] = count()


def text_of(device: Device, rng: Random) -> str:
    """Compose a text whose first word is in no other's."""
    return f"{device.name}#{next(_numbers)} " + "word " * rng.randint(1, 40)


class Habits:
    """What the person at one device does."""

    def __init__(self, device: Device, world: World) -> None:
        self._device = device
        self._world = world
        self._rng = Random(world.rng.random())
        self._posting: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        """Do something again and again, until cancelled; what is being posted by then is still posted."""
        actions: dict[Callable[[Known], object], float] = {
            self._say: 60,
            self._post: 3,
            self._edit: 4,
            self._delete: 2,
            self._react: 5,
            self._read: 6,
            self._move: 0.2,
        }
        try:
            while True:
                await asyncio.sleep(self._rng.expovariate(self._world.size.actions_a_second))
                if known := self._somewhere():
                    (action,) = self._rng.choices(list(actions), list(actions.values()))
                    action(known)
        finally:
            await asyncio.shield(asyncio.gather(*self._posting, return_exceptions=True))

    def _somewhere(self) -> Known | None:
        known = self._device.replica.conversations
        places = [id for id in known if id not in self._world.quiet]
        return known[self._rng.choice(places)] if places else None

    def _text(self) -> str:
        """Compose a text; now and then it means somebody by name."""
        meant = self._rng.choice(self._world.devices).rest.username
        return text_of(self._device, self._rng) + (f"@{meant}" if self._rng.random() < 0.1 else "")

    def _say(self, where: Known) -> None:
        for _ in range(self._rng.randint(1, 6)):
            if len(self._device.outbox) < OUTBOX_MOST:
                self._device.say(where.id, self._text())

    def _post(self, where: Known) -> None:
        if len(self._posting) < 5:
            task = asyncio.ensure_future(self._post_at_last(where.id))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)

    async def _post_at_last(self, conversation_id: str) -> None:
        await self._device.post(conversation_id, self._text())

    def _edit(self, where: Known) -> None:
        if id := self._recent(where, mine=True):
            first, *_ = where.messages[id].content[2].split(" ")
            text = f"{first} edited {next(_numbers)}"
            self._world.journal.texts[id].add(text)
            self._device.ask("message.edit", message_id=id, text=text)

    def _delete(self, where: Known) -> None:
        if id := self._recent(where, mine=True):
            self._device.ask("message.delete", message_id=id)

    def _react(self, where: Known) -> None:
        if id := self._recent(where, mine=False):
            what = self._rng.choice(["reaction.add", "reaction.add", "reaction.remove"])
            self._device.ask(what, message_id=id, emoji=self._rng.choice(EMOJI))

    def _read(self, where: Known) -> None:
        self._device.read(where.id)

    def _move(self, where: Known) -> None:
        self._device.move()

    def _recent(self, where: Known, *, mine: bool) -> str | None:
        """Find something said lately that is still there."""
        latest = list(where.messages.items())[-RECENT:]
        fits = [id for id, said in latest if said.content[0] == "text" and not said.content[5]]
        own = [id for id in fits if where.messages[id].content[1] == self._device.user_id]
        found = own if mine else fits
        return self._rng.choice(found) if found else None


class Coming:
    """People come and go in the groups, and new groups are made."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = Random(world.rng.random())
        self.changes = 0

    async def live(self) -> None:
        """Change who is in, again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._rng.uniform(0.2, 0.8))
            (change,) = self._rng.choices([self.remove, self._leave, self._bring_back, self._found], [4, 2, 8, 1])
            with suppress(Away, httpx.HTTPStatusError):
                await change()

    async def remove(self) -> None:
        """Put somebody out of a group."""
        if owned := self._owned():
            owner, group = owned
            if others := sorted(group.members - {owner.user_id}):
                path = f"/conversations/{group.id}/participants/{self._rng.choice(others)}"
                await self._change(owner, "DELETE", path)

    async def _leave(self) -> None:
        device = self._rng.choice(self._world.devices)
        known = device.replica.conversations.values()
        if groups := [each.id for each in known if each.is_group and each.owner_id != device.user_id]:
            await self._change(device, "POST", f"/conversations/{self._rng.choice(groups)}/leave")

    async def _bring_back(self) -> None:
        if owned := self._owned():
            owner, group = owned
            if others := sorted(self._world.people.keys() - group.members):
                some = [{"id": id} for id in self._rng.sample(others, min(2, len(others)))]
                await self._change(owner, "POST", f"/conversations/{group.id}/participants", users=some)

    async def _found(self) -> None:
        if len(self._world.groups) < self._world.size.groups + NEW_GROUPS_MOST:
            owner, *others = self._rng.sample(self._world.devices, 3)
            if len({owner.user_id, *(other.user_id for other in others)}) == 3:
                await self._world.gather_group(owner, others)
                self.changes += 1

    def _owned(self) -> tuple[Device, Known] | None:
        """Pick a group, with a device of its owner."""
        owned = [
            (device, known)
            for device in self._world.devices
            for known in device.replica.conversations.values()
            if known.is_group and known.owner_id == device.user_id
        ]
        return self._rng.choice(owned) if owned else None

    async def _change(self, device: Device, method: str, path: str, **body: object) -> None:
        answer: Awaitable[httpx.Response] = device.rest.call(method, path, tries=3, **body)
        self.changes += (await answer).is_success
