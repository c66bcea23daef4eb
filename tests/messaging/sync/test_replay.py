"""After any sequence of actions, the events that a device has applied match what its person can read."""

import random
from asyncio import gather
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ObjectDoesNotExist

from accounts.models import User
from chatproject.core.channel_layer import LoopLayer
from chatproject.core.errors import Refused
from conversations import creation, groups, personal_settings
from conversations.models import Conversation, Participant
from messaging.messages import edit, reactions
from messaging.messages.send import send_message
from messaging.models import Message
from messaging.realtime.hub import Hub
from tests.messaging.replica import Replica, Sleeper, fresh

pytestmark = pytest.mark.usefixtures("live")

STEPS = 60


class Life:
    """Random actions of random people; refusals are ignored."""

    def __init__(self, seed: int, people: list[User]) -> None:
        self.dice = random.Random(seed)
        self.people = people
        self.done: list[str] = []
        owner = people[0]
        self.group = creation.create_group(by=owner, name="Garden", participants=people[1:3])
        self.pair, _ = creation.start_direct(by=people[0], to=people[1])

    def step(self) -> None:
        while not self._try():
            pass

    def _try(self) -> bool:
        act = self.dice.choice([self._say, self._say, self._say, self._edit, self._delete, self._react, self._unreact,
                                self._describe, self._add, self._add, self._remove, self._leave, self._promote,
                                self._transfer, self._settle])  # fmt: skip
        by = self.dice.choice(self.people)
        try:
            act(by)
            self.done.append(f"{by}: {act.__name__[1:]}")
        except (Refused, ObjectDoesNotExist):
            return False
        return True

    def _where(self) -> UUID:
        return self.dice.choice([self.group.pk, self.group.pk, self.pair.pk])

    def _say(self, by: User) -> None:
        names = " ".join(f"@{user.username}" for user in self.people if self.dice.random() < 0.2)
        send_message(by=by, conversation_id=self._where(), text=f"Hi {names} {self.dice.random()}")

    def _something(self) -> UUID:
        ids = list(Message.objects.order_by("-position").values_list("pk", flat=True)[:8])
        return self.dice.choice(ids)

    def _edit(self, by: User) -> None:
        edit.edit_message(by=by, message_id=self._something(), text=f"Rather {self.dice.random()}")

    def _delete(self, by: User) -> None:
        edit.delete_message(by=by, message_id=self._something())

    def _react(self, by: User) -> None:
        reactions.add_reaction(by=by, message_id=self._something(), emoji=self.dice.choice("👍🎉😀"))

    def _unreact(self, by: User) -> None:
        reactions.remove_reaction(by=by, message_id=self._something(), emoji=self.dice.choice("👍🎉😀"))

    def _describe(self, by: User) -> None:
        what = self.dice.choice(["name", "description", "history"])
        value = self.dice.choice(Conversation.History.values) if what == "history" else f"{self.dice.random()}"
        groups.update_group(by=by, conversation_id=self.group.pk, **{what: value})

    def _add(self, by: User) -> None:
        some = self.dice.sample(self.people, self.dice.randint(1, 3))
        groups.add_members(by=by, conversation_id=self.group.pk, users=some)

    def _remove(self, by: User) -> None:
        groups.remove_member(by=by, conversation_id=self.group.pk, user_id=self.dice.choice(self.people).pk)

    def _leave(self, by: User) -> None:
        if Participant.objects.filter(conversation=self.group, left_at=None).count() > 1:
            groups.leave(by=by, conversation_id=self.group.pk)

    def _promote(self, by: User) -> None:
        role = self.dice.choice(["admin", "member"])
        groups.set_role(by=by, conversation_id=self.group.pk, user_id=self.dice.choice(self.people).pk, role=role)

    def _transfer(self, by: User) -> None:
        groups.transfer(by=by, conversation_id=self.group.pk, to=self.dice.choice(self.people))

    def _settle(self, by: User) -> None:
        what: dict[str, Callable[[], Any]] = {
            "pinned": lambda: self.dice.random() < 0.5,
            "archived": lambda: self.dice.random() < 0.5,
            "notify": lambda: self.dice.choice(["all", "mentions", "none"]),
            "draft": lambda: self.dice.choice(["", f"I think {self.dice.random()}"]),
        }
        name = self.dice.choice(list(what))
        personal_settings.update_settings(by=by, conversation_id=self._where(), **{name: what[name]()})


@pytest.fixture(params=[None, 0.5], ids=["everything told", "half of it lost"])
def wire(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float | None:
    """Lose some of what is published, as a broken network would."""
    if request.param:
        dice = random.Random(7)
        whole = LoopLayer.group_send_many

        async def lossy(self: Any, posts: Any, **options: Any) -> None:
            await whole(self, [post for post in posts if dice.random() > request.param], **options)

        monkeypatch.setattr(LoopLayer, "group_send_many", lossy)
    return request.param


@pytest.mark.long
@pytest.mark.parametrize("seed", [random.randrange(10_000) for _ in range(1)])
async def test_the_received_events_match_what_can_be_read(
    seed: int, wire: float | None, alice: User, bob: User, carol: User, mallory: User
) -> None:
    people = [alice, bob, carol, mallory]
    life = await sync_to_async(Life)(seed, people)
    replicas = [await Replica.of(user, hub=hub) for hub in (Hub(), Hub()) for user in people]
    sleepers = await sync_to_async(lambda: [Sleeper(user) for user in people])()
    for n in range(STEPS):
        await sync_to_async(life.step)()
        if n % 20 == 19:
            await sync_to_async(lambda: [sleeper.wake() for sleeper in sleepers])()
    truth = {user.pk: await sync_to_async(fresh)(user) for user in people}
    await gather(*(replica.catch_up_with(truth[replica.user.pk]) for replica in replicas))
    await sync_to_async(lambda: [sleeper.wake() for sleeper in sleepers])()
    for device in (*replicas, *sleepers):
        assert device.conversations == truth[device.user.pk], f"seed {seed}, {device.user}: {life.done}"
