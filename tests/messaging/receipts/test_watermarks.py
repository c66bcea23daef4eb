"""The statement that moves watermarks."""

import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Block, User
from chatproject.core.errors import Unavailable
from conversations.models import Conversation
from messaging.models import MessageStatus
from messaging.receipts.commands import mark_delivered, mark_read
from messaging.receipts.watermark_sql import MOVE, MoveOutcome, Watermark, parameters
from tests.messaging.helpers import append_unheard, change_place, draft, fill, place, remove, say
from tests.support.together import another_connection, on_own_connection, together, until_blocked


def moved(*wanted: Watermark) -> list[MoveOutcome]:
    with connection.cursor() as cursor:
        cursor.execute(MOVE, parameters(wanted))
        return [MoveOutcome(*row) for row in cursor.fetchall()]


def mark(user: User, conversation: Conversation, delivered: int = 0, read: int = 0) -> Watermark:
    return Watermark(conversation.pk, user.pk, delivered, read)


def reached(user: User, conversation: Conversation) -> tuple[int, int]:
    it = place(user, conversation)
    return it.delivered_through, it.read_through


def runs(user: User) -> list[tuple[str, int, int]]:
    return list(MessageStatus.objects.filter(user=user).order_by("at", "what").values_list("what", "after", "through"))


def hide(user: User) -> None:
    user.settings = {"read_receipts": False}
    user.save(update_fields=["settings"])


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        ((0, 0), (3, 0), (3, 0)),
        ((0, 0), (0, 3), (3, 3)),
        ((0, 0), (4, 2), (4, 2)),
        ((0, 0), (2, 4), (4, 4)),
        ((4, 2), (3, 0), (4, 2)),
        ((4, 2), (0, 1), (4, 2)),
        ((4, 2), (1, 3), (4, 3)),
        ((4, 4), (4, 4), (4, 4)),
        ((0, 0), (2**63 - 1, 0), (5, 0)),
        ((0, 0), (0, 2**63 - 1), (5, 5)),
    ],
)
def test_a_watermark_never_moves_backwards_nor_past_the_end_and_reading_implies_delivery(
    before: tuple[int, int],
    said: tuple[int, int],
    after: tuple[int, int],
    conversation: Conversation,
    alice: User,
    bob: User,
) -> None:
    fill(conversation, bob, 5)
    change_place(alice, conversation, delivered_through=before[0], read_through=before[1])
    (outcome,) = moved(mark(alice, conversation, *said))
    assert reached(alice, conversation) == (outcome.delivered, outcome.read) == after
    assert outcome.status == ("moved" if before != after else "unchanged")


def test_each_move_is_stored_as_a_range_of_positions(conversation: Conversation, alice: User, bob: User) -> None:
    fill(conversation, bob, 5)
    for said in ((2, 0), (4, 3), (1, 1), (0, 5)):
        moved(mark(alice, conversation, *said))
    assert runs(alice) == [
        ("delivered", 0, 2),
        ("delivered", 2, 4),
        ("read", 0, 3),
        ("delivered", 4, 5),
        ("read", 3, 5),
    ]


def test_many_watermarks_are_one_statement_with_one_row_each_in_order(
    conversation: Conversation, group: Conversation, alice: User, bob: User, mallory: User
) -> None:
    fill(conversation, bob, 2)
    said = say(bob, group)["position"]
    wanted = [mark(alice, group, read=said), mark(mallory, group, read=said), mark(alice, conversation, 1)]
    with CaptureQueriesContext(connection) as asked:
        outcomes = moved(*wanted, mark(bob, conversation, 2))
    assert len(asked) == 1
    assert [outcome.status for outcome in outcomes] == ["moved", "refused", "moved", "unchanged"]
    assert reached(alice, group) == (said, said)
    assert reached(alice, conversation) == (1, 0)


def test_a_former_member_moves_nothing_and_one_who_rejoined_begins_again(
    group: Conversation, alice: User, bob: User
) -> None:
    said = say(alice, group)["position"]
    before = reached(bob, group)
    remove(bob, group)
    assert [outcome.status for outcome in moved(mark(bob, group, read=said))] == ["refused"]
    assert (reached(bob, group), runs(bob)) == (before, [])


def test_reading_bumps_ones_own_version_and_delivery_does_not(
    conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, 3)
    version, began = alice.version, place(alice, conversation).changed_at
    (had,) = moved(mark(alice, conversation, delivered=2))
    assert (had.version, place(alice, conversation).changed_at > began) == (0, True)
    (has_read,) = moved(mark(alice, conversation, read=2))
    alice.refresh_from_db()
    assert has_read.version == alice.version == place(alice, conversation).me_version > version


def test_everything_read_in_one_statement_is_one_version(
    conversation: Conversation, group: Conversation, alice: User, bob: User
) -> None:
    said = say(bob, group)["position"]
    fill(conversation, bob, 1)
    version = User.objects.get(pk=alice.pk).version
    outcomes = moved(mark(alice, group, read=said), mark(alice, conversation, read=1))
    assert {outcome.version for outcome in outcomes} == {version + 1}


def test_hidden_reading_is_not_stored(conversation: Conversation, alice: User, bob: User) -> None:
    fill(conversation, bob, 3)
    hide(alice)
    (outcome,) = moved(mark(alice, conversation, read=2))
    assert (outcome.visible_read, outcome.is_public, runs(alice)) == (0, True, [("delivered", 0, 2)])
    change_place(alice, conversation, delivered_through=3)
    (outcome,) = moved(mark(alice, conversation, read=3))
    assert (outcome.is_public, outcome.version > 0) == (False, True)


@pytest.mark.parametrize("blocks", [lambda a, b: (a, b), lambda a, b: (b, a)], ids=["by the reader", "by the other"])
def test_after_a_block_watermarks_move_and_no_receipt_is_published(
    blocks: Any, conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, 3)
    user, blocked = blocks(alice, bob)
    Block.objects.create(user=user, blocked=blocked)
    (outcome,) = moved(mark(alice, conversation, read=3))
    assert (outcome.read, outcome.is_public, runs(alice)) == (3, False, [])


def test_a_block_has_no_effect_on_receipts_in_a_group(group: Conversation, alice: User, bob: User) -> None:
    Block.objects.create(user=bob, blocked=alice)
    said = say(bob, group)["position"]
    (outcome,) = moved(mark(alice, group, read=said))
    assert outcome.is_public
    assert len(runs(alice)) == 2


def test_in_a_large_group_only_the_senders_of_the_messages_receive_the_receipt(
    large_group: Conversation, alice: User, bob: User, carol: User
) -> None:
    say(carol, large_group)
    first = say(alice, large_group)["position"]
    second = say(bob, large_group)["position"]
    reader = large_group.participants.exclude(user__in=[alice, bob, carol]).first().user
    change_place(reader, large_group, delivered_through=first - 1, read_through=first - 1)
    (had,) = moved(mark(reader, large_group, delivered=first))
    assert had.recipients == [alice.pk]
    (has_read,) = moved(mark(reader, large_group, read=second))
    assert set(has_read.recipients or ()) == {alice.pk, bob.pk}


def test_in_a_group_of_a_hundred_everyone_receives_the_receipt(
    large_group: Conversation, alice: User, bob: User
) -> None:
    last = large_group.participants.order_by("pk").last()
    remove(last.user, large_group)
    (outcome,) = moved(mark(bob, large_group, delivered=say(alice, large_group)["position"]))
    assert outcome.recipients is None


# At the same moment


@pytest.mark.usefixtures("committed")
def test_a_locked_participant_is_left_for_the_next_time_and_the_rest_moves(
    conversation: Conversation, group: Conversation, alice: User, bob: User
) -> None:
    said = say(bob, group)["position"]
    fill(conversation, bob, 2)
    wanted = mark(alice, conversation, 1), mark(alice, group, said)
    with another_connection() as other:
        other.execute(
            "SELECT 1 FROM conversations_participant WHERE user_id = %s AND conversation_id = %s FOR UPDATE",
            [alice.pk, conversation.pk],
        )
        assert [outcome.status for outcome in moved(*wanted)] == ["locked", "moved"]
    assert [outcome.status for outcome in moved(*wanted)] == ["moved", "unchanged"]


@pytest.mark.usefixtures("committed")
def test_while_a_person_is_locked_delivery_moves_and_reading_waits(
    conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, 2)
    with another_connection() as other:
        other.execute("SELECT 1 FROM accounts_user WHERE id = %s FOR UPDATE", [alice.pk])
        assert [it.status for it in moved(mark(alice, conversation, read=2))] == ["locked"]
        assert [it.status for it in moved(mark(alice, conversation, delivered=2))] == ["moved"]
    mark_read(by=alice, conversation_id=conversation.pk, through=2)
    assert reached(alice, conversation) == (2, 2)


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    "held",
    [
        "SELECT 1 FROM conversations_participant WHERE user_id = %s FOR UPDATE",
        "SELECT 1 FROM accounts_user WHERE id = %s FOR UPDATE",
    ],
    ids=["the place", "the person"],
)
def test_a_single_watermark_waits_for_the_locks_that_it_needs(
    held: str, conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, 1)
    with ThreadPoolExecutor() as pool, another_connection() as other:
        other.execute(held, [alice.pk])
        reading = partial(mark_read, by=alice, conversation_id=conversation.pk, through=1)
        waiting = pool.submit(on_own_connection, reading)
        until_blocked()
        other.rollback()
        assert waiting.result() == {"delivered_through": 1, "read_through": 1}


def test_inside_a_transaction_a_watermark_waits_only_for_a_moment(
    committed: None, conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, 1)
    with another_connection() as other, transaction.atomic():
        other.execute("SELECT 1 FROM conversations_participant WHERE user_id = %s FOR UPDATE", [alice.pk])
        with pytest.raises(Unavailable):
            mark_delivered(by=alice, conversation_id=conversation.pk, through=1)


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("committed")
def test_watermarks_and_messages_at_once_never_deadlock(
    alice: User, bob: User, carol: User, group: Conversation, conversation: Conversation
) -> None:
    everyone, both = (alice, bob, carol), (group, conversation)
    before = deadlocks()
    seen: list[tuple[int, int]] = []

    def in_both(one: User, where: Conversation) -> bool:
        return where is group or one is not carol

    def talk(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(40):
            said = [draft(one, where) for one in everyone for where in both if in_both(one, where)]
            append_unheard(*chance.sample(said, 4))

    def read(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(60):
            wanted = [
                mark(one, where, chance.randrange(200), chance.randrange(200))
                for one in everyone
                for where in both
                if in_both(one, where)
            ]
            chance.shuffle(wanted)
            moved(*wanted)
            if seed == 3:
                seen.append(reached(alice, group))

    together(lambda: talk(1), lambda: talk(2), lambda: read(3), lambda: read(4))
    assert deadlocks() == before
    assert sorted(had for had, _ in seen) == [had for had, _ in seen]
    assert sorted(has_read for _, has_read in seen) == [has_read for _, has_read in seen]
    for where in both:
        where.refresh_from_db()
        assert all(reached(one, where)[0] <= where.last_position for one in everyone if in_both(one, where))


@pytest.mark.usefixtures("committed")
def test_the_ranges_of_two_devices_that_read_at_once_do_not_overlap(
    conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, 60)

    def read(first: int) -> None:
        for through in range(first, 61, 2):
            mark_read(by=alice, conversation_id=conversation.pk, through=through)

    together(lambda: read(1), lambda: read(2))
    kept = MessageStatus.objects.filter(user=alice, what="read").order_by("after").values_list("after", "through")
    assert [after for after, _ in kept] == [0, *(through for _, through in kept)][:-1]
    assert list(kept)[-1][1] == 60


def indexed_updates() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT n_tup_upd - n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'conversations_participant'"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("committed")
def test_moving_a_watermark_updates_no_index(conversation: Conversation, alice: User, bob: User) -> None:
    fill(conversation, bob, 30)
    before = indexed_updates()
    for through in range(1, 31):
        moved(mark(alice, conversation, delivered=through))
    assert indexed_updates() == before
