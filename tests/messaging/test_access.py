"""Who may read which messages: the rule in SQL, as a queryset and in the hub, against a plain statement of it."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.staff.audit_log import Staff
from conversations.creation import create_group
from conversations.models import Conversation, Participant
from messaging.access import has_expired, oldest, readable, restricted_readers, visible
from messaging.media.uploads import download_url, upload_state
from messaging.models import Attachment, Message
from messaging.moderation.transcripts import read_conversation
from messaging.realtime.people import Membership
from tests.messaging.helpers import change_place, hang, place, uploaded

pytestmark = pytest.mark.django_db

MESSAGES = 150
BY_SQL = f"""
SELECT m.id FROM conversations_participant p JOIN conversations_conversation c ON c.id = p.conversation_id
CROSS JOIN messaging_message m WHERE p.id = %(participant)s AND {visible("m", "p", "c")}
"""  # noqa: S608 (a part of our own)


def may_read(message: Message, participant: Participant, conversation: Conversation) -> bool:
    """Say it in plain words."""
    if participant.left_at is not None or message.conversation_id != participant.conversation_id:
        return False
    if message.position <= participant.visible_from:
        return False
    if message.position <= conversation.min_position:
        return False
    if timezone.now() - message.created_at >= timedelta(days=settings.RETENTION_DAYS):
        return False
    if participant.reads in (None, "all"):
        return True
    is_for_them = message.addressed is not None and participant.user_id in message.addressed
    return message.kind == "notice" or message.sender_id == participant.user_id or is_for_them


def read_by_sql(participant: Participant) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(BY_SQL, {"participant": participant.pk, "oldest": oldest()})
        return {id for (id,) in cursor.fetchall()}


def read_by_hub(participant: Participant, conversation: Conversation, messages: list[Message]) -> set[UUID]:
    membership = Membership.of(participant, epoch=conversation.epoch)
    return {
        message.pk
        for message in messages
        if not has_expired(message, conversation)
        and membership.sees(participant.user_id, message.position, restricted_readers(message))
    }


class Anything:
    """Conversations with random rows in them."""

    def __init__(self, seed: int, people: list[User]) -> None:
        self.dice, self.people = random.Random(seed), people
        self.conversations = [create_group(by=people[0], name=name, participants=people[1:]) for name in "ab"]
        self.messages = [self._message(n, each) for each in self.conversations for n in range(1, MESSAGES + 1)]
        for each in self.conversations:
            each.min_position = self.dice.choice([0, self._position(), self._position()])
            each.version = each.last_position = MESSAGES
            each.save()
        for participant in Participant.objects.all():
            self._change(participant)

    def _position(self) -> int:
        return self.dice.randint(0, MESSAGES)

    def _message(self, position: int, conversation: Conversation) -> Message:
        bots = self.dice.sample(self.people, self.dice.randint(0, 2))
        days = self.dice.choice([0, 1, 89.9, 90.1, 96])
        return Message(
            conversation=conversation,
            position=position,
            version=position,
            sender=self.dice.choice(self.people),
            kind=self.dice.choice(["text", "text", "image", "notice"]),
            addressed=self.dice.choice([None, [bot.pk for bot in bots]]),
            created_at=timezone.now() - timedelta(days=days),
        )

    def _change(self, participant: Participant) -> None:
        fields: dict[str, Any] = {
            "visible_from": self._position(),
            "reads": self.dice.choice([None, "all", "addressed"]),
        }
        if participant.user_id != self.people[0].pk and self.dice.random() < 0.2:
            fields |= {"left_at": timezone.now(), "left_version": MESSAGES}
        Participant.objects.filter(pk=participant.pk).update(**fields)


@pytest.mark.parametrize("seed", range(3))
def test_every_form_of_the_rule_says_what_its_words_say(seed: int, alice: User, bob: User, carol: User) -> None:
    world = Anything(seed, [alice, bob, carol])
    Message.objects.all().delete()
    Message.objects.bulk_create(world.messages)
    for participant in Participant.objects.select_related("conversation"):
        conversation = participant.conversation
        wanted = {each.pk for each in world.messages if may_read(each, participant, conversation)}
        assert read_by_sql(participant) == wanted
        assert {*readable(participant).values_list("pk", flat=True)} == wanted
        if participant.left_at is None:
            here = [each for each in world.messages if each.conversation_id == conversation.pk]
            assert read_by_hub(participant, conversation, here) == wanted


@pytest.mark.parametrize(
    "fields",
    [{"left_at": timezone.now(), "left_version": 1}, {"visible_from": 1}, {"reads": "addressed"}],
    ids=["left", "came again", "restricted"],
)
def test_a_participant_that_is_out_of_date_reads_nothing(group: Conversation, bob: User, fields: Any) -> None:
    known = place(bob, group)
    assert readable(known).exists()
    change_place(bob, group, **fields)
    assert not readable(known).exists()


def expire(group: Conversation) -> None:
    Conversation.objects.filter(pk=group.pk).update(min_position=group.messages.latest("position").position)


def grow_old(group: Conversation) -> None:
    group.messages.update(created_at=timezone.now() - timedelta(days=settings.RETENTION_DAYS, seconds=1))


@pytest.mark.parametrize("hide", [expire, grow_old])
def test_what_has_expired_has_expired_for_its_sender_and_the_staff_too(
    group: Conversation, bob: User, staff: User, hide: Callable[[Conversation], None]
) -> None:
    picture, unsent, by = hang(bob, group), uploaded(bob), Staff(staff)
    assert upload_state(by=bob, media_id=picture.pk)["id"] == str(picture.pk)
    assert read_conversation(by=by, conversation_id=group.pk, reason="A court order").entries
    hide(group)
    for look in (download_url, upload_state):
        with pytest.raises(Attachment.DoesNotExist):
            look(by=bob, media_id=picture.pk)
    assert upload_state(by=bob, media_id=unsent.pk)["id"] == str(unsent.pk)
    assert not read_conversation(by=by, conversation_id=group.pk, reason="A court order").entries
