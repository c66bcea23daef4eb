"""`manage.py seed`: create the demo's people, and their messages of the last few days."""

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
from conversations.creation import create_group, start_direct
from conversations.models import Conversation
from messaging.management.demo.cast import CAST, PASSWORD
from messaging.management.demo.direct_conversations import DIRECT_CONVERSATIONS
from messaging.management.demo.groups import GROUPS
from messaging.messages.reactions import add_reaction
from messaging.messages.send import send_message
from messaging.models import Message, MessageStatus
from messaging.receipts.commands import mark_read

EMOJI = "👍😂🎉🙏😮"
DAYS = 6
"""How far back the messages go: an id may be at most seven days old."""


class Command(BaseCommand):
    help = "Create the demo cast (alice, bob, carol, staff; password parley-demo) and a few hundred messages."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.EXPOSED_BY:
            raise CommandError(
                f"Others can reach this site ({', '.join(settings.EXPOSED_BY)}), "
                "and everyone knows the password of the demo's people."
            )
        if User.objects.exists():
            raise CommandError("There are people here already; the demo is for an empty database.")
        with transaction.atomic():
            cast = {name: User.objects.create_user(name, PASSWORD, **fields) for name, fields in CAST.items()}
        # Outside the transaction: creating groups calls Redis, and no transaction waits for Redis.
        self._create_conversations(cast)
        self.stdout.write(f"made the demo cast and {Message.objects.count()} messages")

    def _create_conversations(self, cast: dict[str, User]) -> None:
        rng = random.Random(7)  # noqa: S311 (the same demo every time)
        for (first, second), lines in DIRECT_CONVERSATIONS.items():
            one, other = cast[first], cast[second]
            conversation, _ = start_direct(by=one, to=other)
            self._send_messages(conversation, [one, other], lines, rng)
        for (name, description, names), lines in GROUPS.items():
            owner, *others = (cast[one] for one in names)
            conversation = create_group(by=owner, name=name, description=description, participants=others)
            self._send_messages(conversation, [owner, *others], lines, rng)

    def _send_messages(
        self, conversation: Conversation, people: list[User], lines: list[tuple[int, str]], rng: random.Random
    ) -> None:
        """Send messages with times in the last days, in bursts as people write, and mark most of them as read."""
        moments, ids = _bursts(len(lines), rng), []
        for (who, text), moment in zip(lines, moments, strict=True):
            sent = send_message(
                by=people[who], conversation_id=conversation.pk, text=text, id=_id_at(moment, rng)
            ).message
            # Only the demo sets a past time: everything else gets the time of the database.
            Message.objects.filter(pk=sent["id"]).update(created_at=moment)
            ids.append(UUID(sent["id"]))
        for id in rng.sample(ids[-8:], 3):
            add_reaction(by=rng.choice(people), message_id=id, emoji=rng.choice(EMOJI))
        conversation.refresh_from_db()
        unread = rng.choice([0, 0, 2])
        through = max(0, conversation.last_position - unread)
        for user in people[1:]:
            mark_read(by=user, conversation_id=conversation.pk, through=through)
        mark_read(by=people[0], conversation_id=conversation.pk, through=conversation.last_position)
        MessageStatus.objects.filter(conversation=conversation).update(at=moments[-1] + timedelta(minutes=1))
        Message.objects.filter(conversation=conversation, kind=Message.Kind.NOTICE).update(created_at=moments[0])
        conversation.participants.update(joined_at=moments[0])
        Conversation.objects.filter(pk=conversation.pk).update(
            active_at=moments[-1], changed_at=moments[-1], created_at=moments[0]
        )


def _bursts(count: int, rng: random.Random) -> list[datetime]:
    """Return ascending times up to a few minutes ago: minutes apart within a burst, hours between bursts."""
    now = timezone.now()
    gaps = [rng.uniform(3, 90) if rng.random() < 0.86 else rng.uniform(3600, 6 * 3600) for _ in range(count)]
    scale = min(1.0, (DAYS * 24 * 3600) / sum(gaps))
    moment = now - timedelta(seconds=sum(gaps) * scale + rng.uniform(60, 1800))
    moments = []
    for gap in gaps:
        moment += timedelta(seconds=gap * scale)
        moments.append(moment)
    return moments


def _id_at(moment: datetime, rng: random.Random) -> UUID:
    """Create a UUID of version 7 for a past time."""
    return UUID(int=first_id_at(moment).int | 0x7 << 76 | 0b10 << 62 | rng.getrandbits(62) | rng.getrandbits(12) << 64)
