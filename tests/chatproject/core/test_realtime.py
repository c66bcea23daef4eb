"""What is published to the servers of people, and when."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import transaction

from accounts.changes import publish_user_change
from accounts.models import User
from chatproject.core.realtime import timestamp, user_group


@transaction.atomic
def announce(*people: User, then: Exception | None = None) -> None:
    publish_user_change(people=[user.pk for user in people])
    if then:
        raise then


def versions(*people: User) -> list[int]:
    return [User.objects.get(pk=user.pk).version for user in people]


def test_a_change_raises_the_version_once_for_each_person_it_concerns(alice: User, bob: User, carol: User) -> None:
    announce(alice, bob, alice)
    announce(bob)
    assert versions(alice, bob, carol) == [1, 2, 0]


def test_a_change_that_is_rolled_back_raises_no_version(alice: User) -> None:
    with suppress(ZeroDivisionError):
        announce(alice, then=ZeroDivisionError())
    assert versions(alice) == [0]


async def test_a_change_is_published_to_the_persons_servers_only_after_its_commit(
    committed: None, alice: User, bob: User
) -> None:
    layer = get_channel_layer()
    inbox = await layer.new_channel()
    await layer.group_add(user_group(alice.pk), inbox)
    with suppress(ZeroDivisionError):
        await sync_to_async(announce)(alice, then=ZeroDivisionError())
    await sync_to_async(announce)(bob)
    await sync_to_async(announce)(alice)
    assert await layer.receive(inbox) == ["user", alice.pk.bytes, 1]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00.000Z"),
        (datetime(2026, 1, 31, 12, 0, 0, 999999, tzinfo=UTC), "2026-01-31T12:00:00.999Z"),
        (datetime(2026, 1, 31, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2026-01-30T23:30:00.000Z"),
    ],
)
def test_times_are_in_utc_with_milliseconds(moment: datetime, text: str) -> None:
    assert timestamp(moment) == text
