"""Requests for pages of a group during its deletion: the group is not found, and nothing breaks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from conversations.groups import delete_group
from conversations.invite_links import make_link
from conversations.models import Conversation
from tests.accounts.visitor import Visitor
from tests.support.together import on_own_connection, until_blocked

pytestmark = pytest.mark.usefixtures("committed")


def while_it_is_deleted(group: Conversation, act: Callable[[], Any]) -> Any:
    """Run a function that has to wait for the deletion of a group, and return its result."""
    with ThreadPoolExecutor() as pool, transaction.atomic():
        delete_group(by=group.owner, conversation_id=group.pk)
        waiting = pool.submit(on_own_connection, act)
        until_blocked()
    return waiting.result()


def test_someone_who_joins_a_group_during_its_deletion_finds_nothing(
    group: Conversation, alice: User, mallory: User
) -> None:
    visitor, path = Visitor(mallory), f"/join/{make_link(by=alice, conversation_id=group.pk)[1]}"
    assert while_it_is_deleted(group, lambda: visitor.submit(path)).status_code == 404


def test_someone_who_reads_a_group_during_its_deletion_finds_nothing(group: Conversation, bob: User) -> None:
    visitor, path = Visitor(bob), f"/conversations/{group.pk}"
    answer = while_it_is_deleted(group, lambda: visitor.submit(path, text="Hi", read_through="1"))
    assert answer.status_code == 404
