"""A database of its own, as the first release with messages had it, and full of rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from messaging.retention.partitions import PARENTS, make_partition, monday

FIRST = [("accounts", "0001_initial"), ("conversations", "0001_initial"), ("messaging", "0001_initial")]
"""The first migrations after which people can write to each other."""
OURS = {"accounts", "conversations", "messaging", "chatproject"}
CONVERSATIONS = 20_000
MESSAGES = 1_000_000
"""Large enough that building an index, or writing every row again, takes longer than anybody may wait."""
STATUSES = 200_000
WEEKS = 6

PEOPLE = """
INSERT INTO accounts_user (password, is_superuser, id, username, display_name, email, about, settings, is_bot, is_staff,
    is_active, date_joined, version)
SELECT '', false, md5('person ' || n)::uuid, 'person' || n, 'Person ' || n, '', '', '{}', false, false, true, now(), 0
FROM generate_series(0, %(conversations)s - 1) n;
INSERT INTO accounts_session (id, name, created_at, last_seen_at, refresh_used, user_id)
SELECT md5('session ' || n)::uuid, 'a browser', now(), now(), false, md5('person ' || n)::uuid
FROM generate_series(0, %(conversations)s - 1) n;
"""
GROUPS = """
INSERT INTO conversations_conversation (id, kind, name, description, history, version, epoch, last_position, created_at,
    changed_at, owner_id)
SELECT md5('group ' || n)::uuid, 'group', 'Group ' || n, '',
    CASE n %% 4 WHEN 0 THEN 'shared' ELSE 'joined' END,
    %(messages)s / %(conversations)s + 1, 0, %(messages)s / %(conversations)s + 1, now(), now(),
    md5('person ' || n)::uuid
FROM generate_series(0, %(conversations)s - 1) n;
INSERT INTO conversations_participant (conversation_id, user_id, role, joined_at, visible_from, delivered_through,
    read_through, barred, notify, pinned, archived)
SELECT md5('group ' || n)::uuid, md5('person ' || (n + k) %% %(conversations)s)::uuid, 'member', now(), 0, 0, 0, false,
    'all', false, false
FROM generate_series(0, %(conversations)s - 1) n CROSS JOIN generate_series(0, 2) k;
"""
SAID = """
INSERT INTO messaging_message (id, conversation_id, position, version, sender_id, kind, body, created_at)
SELECT (lpad(to_hex(%(first)s + n * %(step)s), 12, '0') || '7000' || 'a' || right(md5(n::text), 15))::uuid,
    md5('group ' || n %% %(conversations)s)::uuid, n / %(conversations)s + 1, n / %(conversations)s + 1,
    md5('person ' || n %% %(conversations)s)::uuid, 'text', decode(repeat(md5(n::text), 4), 'hex'), now()
FROM generate_series(0::bigint, %(messages)s - 1) n
"""
REACHED = """
INSERT INTO messaging_messagestatus (id, conversation_id, user_id, what, after, through)
SELECT (lpad(to_hex(%(first)s + n * %(step)s * 5), 12, '0') || '7000' || 'a' || right(md5(n::text), 15))::uuid,
    md5('group ' || n %% %(conversations)s)::uuid, md5('person ' || n %% %(conversations)s)::uuid, 'read',
    n / %(conversations)s, n / %(conversations)s + 1
FROM generate_series(0::bigint, %(statuses)s - 1) n
"""
REACTED = """
INSERT INTO messaging_reaction (message_id, conversation_id, user_id, emoji)
SELECT id, conversation_id, sender_id, '+' FROM messaging_message WHERE position %% 5 = 0
"""


@contextmanager
def former_database(name: str) -> Iterator[None]:
    """Let Django use a database of its own that has the first migrations only."""
    with _own_database(name, template="template0"):
        for app, migration in FIRST:
            call_command("migrate", app, migration, verbosity=0)
        yield


@contextmanager
def copy_of(template: str, name: str) -> Iterator[None]:
    """Let Django use a copy of the database that it uses now."""
    with _own_database(name, template=template):
        yield


@contextmanager
def _own_database(name: str, *, template: str) -> Iterator[None]:
    before = connection.settings_dict["NAME"]
    _use("postgres")
    _execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE {template}")
    _use(name)
    try:
        yield
    finally:
        _use("postgres")
        _execute(f"DROP DATABASE {name} WITH (FORCE)")
        _use(before)


def _use(name: str) -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined] # unknown to the stubs
    connection.settings_dict["NAME"] = name


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remaining_migrations() -> list[tuple[str, ...]]:
    """List the project's migrations that `migrate` would apply, in its order, each with those of others that it needs;
    an empty one in the end stands for all the others.
    """
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    ours = [(each.app_label, each.name) for each, _ in plan if each.app_label in OURS]
    return [*ours, ()]


def fill(*, messages: int = MESSAGES, conversations: int = CONVERSATIONS) -> None:
    """Fill the tables of the first migrations."""
    make_weeks("messaging_message")
    _fill(PEOPLE, GROUPS, SAID, messages=messages, conversations=conversations)


def fill_new_tables(before: set[str], *, messages: int = MESSAGES, conversations: int = CONVERSATIONS) -> None:
    """Make the weeks of partitioned tables that a migration has made, and fill them."""
    contents = {"messaging_messagestatus": REACHED, "messaging_reaction": REACTED}
    for parent in tables() - before:
        if parent in PARENTS:
            make_weeks(parent)
            _fill(contents[parent], messages=messages, conversations=conversations)


def _fill(*statements: str, messages: int, conversations: int) -> None:
    this_week = monday(datetime.now(UTC))
    first, last = (int((this_week + timedelta(weeks=n)).timestamp() * 1000) for n in (1 - WEEKS, 1))
    numbers = {
        "messages": messages,
        "conversations": conversations,
        "statuses": min(STATUSES, messages),
        "first": first,
        "step": (last - first) // messages,
    }
    connection.ensure_connection()
    with connection.unbounded(), connection.cursor() as cursor:  # type: ignore[attr-defined]
        for statement in statements:
            cursor.execute(statement, numbers)
        cursor.execute("ANALYZE")


def make_weeks(parent: str) -> None:
    this_week = monday(datetime.now(UTC))
    for n in range(1 - WEEKS, 2):
        make_partition(this_week + timedelta(weeks=n), parent)


def tables() -> set[str]:
    return set(connection.introspection.table_names())
