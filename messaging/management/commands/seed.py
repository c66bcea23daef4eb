"""The demo cast, and what they have said in the last few days."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from chatproject.core.ids import first_id_at
from conversations.commands import create_group, start_direct
from conversations.models import Conversation
from messaging.management.demo import CAST, GROUPS, PASSWORD, TALKS
from messaging.messages.reactions import add_reaction
from messaging.messages.send import send_message
from messaging.models import Message, MessageStatus
from messaging.receipts.commands import mark_read

EMOJI = "👍😂🎉🙏😮"
DAYS = 6
"""How far back the talk goes: an id may be seven days old when it arrives."""


class Command(BaseCommand):
    help = "Make the demo cast (alice, bob, carol, staff; password parley-demo) and a few hundred messages."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.EXPOSED_BY:
            raise CommandError(
                f"Others can reach this site ({', '.join(settings.EXPOSED_BY)}), "
                "and everyone knows the password of the demo's people."
            )
        if User.objects.exists():
            raise CommandError("There are people here already; the demo is for an empty database.")
        with transaction.atomic():
            cast = {name: self._make(name, **fields) for name, fields in CAST.items()}
        # Outside the transaction: groups are counted in Redis, for which no transaction waits.
        self._talk(cast)
        self.stdout.write(f"made the demo cast and {Message.objects.count()} messages")

    def _make(self, name: str, **fields: Any) -> User:
        return User.objects.create_user(name, PASSWORD, **fields)

    def _talk(self, cast: dict[str, User]) -> None:
        chance = random.Random(7)  # noqa: S311 (the same demo every time)
        for (first, second), lines in TALKS.items():
            one, other = cast[first], cast[second]
            conversation, _ = start_direct(by=one, to=other)
            self._say(conversation, [one, other], lines, chance)
        for (name, description, names), lines in GROUPS.items():
            owner, *others = (cast[one] for one in names)
            conversation = create_group(by=owner, name=name, description=description, participants=others)
            self._say(conversation, [owner, *others], lines, chance)

    def _say(
        self, conversation: Conversation, people: list[User], lines: list[tuple[int, str]], chance: random.Random
    ) -> None:
        """Spread the lines over the last days, in bursts as people talk, and let all but the newest be read."""
        moments, ids = _bursts(len(lines), chance), []
        for (who, text), moment in zip(lines, moments, strict=True):
            said = send_message(
                by=people[who], conversation_id=conversation.pk, text=text, id=_id_at(moment, chance)
            ).message
            # Only the demo's past is made up: everything else is dated by the database.
            Message.objects.filter(pk=said["id"]).update(created_at=moment)
            ids.append(UUID(said["id"]))
        for id in chance.sample(ids[-8:], 3):
            add_reaction(by=chance.choice(people), message_id=id, emoji=chance.choice(EMOJI))
        conversation.refresh_from_db()
        unread = chance.choice([0, 0, 2])
        through = max(0, conversation.last_position - unread)
        for user in people[1:]:
            mark_read(by=user, conversation_id=conversation.pk, through=through)
        mark_read(by=people[0], conversation_id=conversation.pk, through=conversation.last_position)
        MessageStatus.objects.filter(conversation=conversation).update(at=moments[-1] + timedelta(minutes=1))
        Message.objects.filter(conversation=conversation, kind=Message.Kind.NOTICE).update(created_at=moments[0])
        Conversation.objects.filter(pk=conversation.pk).update(
            active_at=moments[-1], changed_at=moments[-1], created_at=moments[0]
        )


def _bursts(count: int, chance: random.Random) -> list[datetime]:
    """Give ascending moments up to a few minutes ago: minutes within a burst, hours between."""
    now = timezone.now()
    gaps = [chance.uniform(3, 90) if chance.random() < 0.86 else chance.uniform(3600, 6 * 3600) for _ in range(count)]
    scale = min(1.0, (DAYS * 24 * 3600) / sum(gaps))
    moment = now - timedelta(seconds=sum(gaps) * scale + chance.uniform(60, 1800))
    moments = []
    for gap in gaps:
        moment += timedelta(seconds=gap * scale)
        moments.append(moment)
    return moments


def _id_at(moment: datetime, chance: random.Random) -> UUID:
    """Mint a version 7 id of an earlier moment."""
    return UUID(
        int=first_id_at(moment).int | 0x7 << 76 | 0b10 << 62 | chance.getrandbits(62) | chance.getrandbits(12) << 64
    )
