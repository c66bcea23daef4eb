"""Make the tables of the usual stack and the people in it.

It reads the sizes of the conversations, as in `[2, 2, 500]`, and writes each one's id and its members' tokens.
"""

import json
import os
import sys
from collections.abc import Sequence

import django


def fill(sizes: Sequence[int]) -> list[tuple[int, list[str]]]:
    """Make a conversation of each size, of people who are in no other."""
    from django.contrib.auth.models import User

    from tests.load.usual.models import Conversation, Participant, Token

    users = iter(User.objects.bulk_create(User(username=f"person{number}") for number in range(sum(sizes))))
    made = Conversation.objects.bulk_create(Conversation() for _ in sizes)
    members = [[next(users) for _ in range(size)] for size in sizes]
    Participant.objects.bulk_create(
        Participant(conversation=each, user=user) for each, those in zip(made, members, strict=True) for user in those
    )
    tokens = iter(Token.objects.bulk_create(Token(user=user) for those in members for user in those))
    return [(each.pk, [next(tokens).key for _ in range(size)]) for each, size in zip(made, sizes, strict=True)]


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.load.usual.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    json.dump(fill(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
