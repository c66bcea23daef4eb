"""Migrations keep to the rules that let people go on while one runs; those that are older are listed by name."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models.functions import Now

from chatproject.core.migrations import (
    AddColumn,
    AddConstraintNotValid,
    AddIndexOnline,
    CreateTable,
    Online,
    RunInBatches,
)

APPS = {"accounts", "conversations", "messaging", "chatproject"}
HOT = {"conversation", "participant", "message", "reaction", "messagestatus", "user", "session"}
"""The models of the tables that every message or request reads or writes."""
BEFORE = {
    ("accounts", "0002_people"),
    ("accounts", "0003_contacts_changed"),
    ("accounts", "0004_staff"),
    ("accounts", "0005_wallets"),
    ("accounts", "0010_names"),
    ("accounts", "0013_session_digests"),
    ("conversations", "0002_rules"),
    ("conversations", "0003_groups"),
    ("messaging", "0009_bound_secrets"),
}
"""Those that came before this check and do not keep to it."""
MOVES_DATA = (migrations.RunPython, migrations.RunSQL)
REMOVES = (migrations.RemoveField, migrations.DeleteModel)
RENAMES = (migrations.RenameField, migrations.RenameModel, migrations.AlterModelTable)
REMOVALS: dict[tuple[str, str], str] = {}
"""Migrations that remove a column or a table, and the release before them that did not use it any more."""
LOCKS = (migrations.AddIndex, migrations.RemoveIndex, migrations.AddConstraint, migrations.AlterUniqueTogether)


def objections(migration: migrations.Migration) -> Iterator[str]:
    """Say what of a migration would make people wait."""
    operations = list(_in_database(migration.operations))
    created = {each.name_lower for each in operations if isinstance(each, migrations.CreateModel)}
    for operation in operations:
        yield from _objections(operation, migration, created)
    hot = {_model(each) for each in operations} & HOT - created
    if migration.atomic and len(hot) > 1:
        yield f"it locks one of {', '.join(sorted(hot))} while it waits for another: `atomic = False`, and AddColumn"


def _in_database(operations: Iterable[Any]) -> Iterator[Any]:
    """List the operations that the database gets to see."""
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _in_database(operation.database_operations)
        else:
            yield operation


def _objections(operation: Any, migration: migrations.Migration, created: set[str]) -> Iterator[str]:
    if isinstance(operation, Online):
        if migration.atomic:
            yield f"{type(operation).__name__} needs `atomic = False`"
    elif isinstance(operation, RENAMES):
        yield f"{type(operation).__name__} breaks the servers of the former release, which still run"
    elif isinstance(operation, REMOVES) and (migration.app_label, migration.name) not in REMOVALS:
        yield "what servers of the former release still use is not removed: see REMOVALS"
    elif isinstance(operation, MOVES_DATA):
        yield from _objections_to_code(operation, migration)
    elif not migration.atomic:
        yield f"{type(operation).__name__} fails when it is repeated: without a transaction, use what is repeatable"
    elif _model(operation) in HOT - created:
        yield from _objections_to_change(operation, migration)


def _objections_to_code(operation: Any, migration: migrations.Migration) -> Iterator[str]:
    if not operation.hints.get("reason"):
        yield 'code needs hints={"reason": …}: why it locks nothing for long; to change rows there is RunInBatches'
    if isinstance(operation, migrations.RunPython) and migration.atomic:
        yield "RunPython in one transaction locks rows until its end: RunInBatches"


def _objections_to_change(operation: Any, migration: migrations.Migration) -> Iterator[str]:
    if isinstance(operation, LOCKS):
        yield f"{type(operation).__name__} locks {_model(operation)}: AddIndexOnline, AddConstraintNotValid"
    if isinstance(operation, migrations.AlterField) and _changes_the_column(operation, migration):
        yield "AlterField may write every row again: add a column, fill it by RunInBatches, and remove the former one"
    if isinstance(operation, migrations.AddField):
        yield from _objections_to_column(operation)


def _objections_to_column(operation: Any) -> Iterator[str]:
    try:
        AddColumn(operation.model_name, operation.name, operation.field)
    except ValueError as error:
        yield str(error)


def _changes_the_column(operation: Any, migration: migrations.Migration) -> bool:
    """Tell whether the database has more to do than to allow longer texts."""
    key = (migration.app_label, migration.name)
    state = LOADER.project_state(key if key in OURS else None, at_end=key not in OURS)
    before = state.models[migration.app_label, operation.model_name_lower].fields[operation.name]
    former, new = _column(before), _column(operation.field)
    longer = (former.pop("max_length", None) or 0) <= (new.pop("max_length", None) or 0)
    return former != new or not longer


def _column(field: Any) -> dict[str, Any]:
    _, path, args, options = field.deconstruct()
    return {"path": path, "args": args} | {
        name: value for name, value in options.items() if name not in (*field.non_db_attrs, "default")
    }


def _model(operation: Any) -> str:
    return getattr(operation, "model_name_lower", None) or getattr(operation, "name_lower", "")


LOADER = MigrationLoader(None)
OURS = {key: each for key, each in LOADER.disk_migrations.items() if key[0] in APPS}


@pytest.mark.parametrize("key", OURS.keys() - BEFORE, ids=".".join)
def test_a_migration_makes_nobody_wait(key: tuple[str, str]) -> None:
    assert list(objections(OURS[key])) == []


def test_the_list_of_older_migrations_has_no_more_than_it_needs() -> None:
    assert {key for key in BEFORE if not list(objections(OURS[key]))} == set()


def made_of(*operations: Any, atomic: bool = True) -> migrations.Migration:
    migration = migrations.Migration("9999_bad", "messaging")
    migration.operations, migration.atomic = list(operations), atomic
    return migration


INDEX = models.Index("sender", name="bad")
CHECK = models.CheckConstraint(condition=models.Q(position__gt=0), name="bad")
SQL = migrations.RunSQL("UPDATE messaging_message SET version = 0")


@pytest.mark.parametrize(
    "migration",
    {
        "a column without a default": made_of(migrations.AddField("message", "bad", models.IntegerField(default=0))),
        "a random default": made_of(migrations.AddField("message", "bad", models.UUIDField(db_default=RandomUUID()))),
        "an index with its column": made_of(
            migrations.AddField("message", "bad", models.IntegerField(null=True, db_index=True))
        ),
        "an index": made_of(migrations.AddIndex("message", INDEX)),
        "an index behind another operation": made_of(
            migrations.SeparateDatabaseAndState(database_operations=[migrations.AddIndex("message", INDEX)])
        ),
        "a check with its column": made_of(
            migrations.AddField("message", "bad", models.PositiveIntegerField(null=True))
        ),
        "no index any more": made_of(migrations.RemoveIndex("message", "history")),
        "a constraint": made_of(migrations.AddConstraint("participant", CHECK)),
        "another type": made_of(migrations.AlterField("message", "position", models.IntegerField())),
        "SQL without a reason": made_of(SQL),
        "Python in one transaction": made_of(migrations.RunPython(print, hints={"reason": "it is quick"})),
        "an operation online in a transaction": made_of(AddIndexOnline("message", INDEX)),
        "what cannot be repeated": made_of(
            migrations.AddField("message", "bad", models.IntegerField(null=True)), atomic=False
        ),
        "two tables at once": made_of(
            migrations.AddField("message", "bad", models.IntegerField(null=True)),
            migrations.AddField("reaction", "bad", models.IntegerField(null=True)),
        ),
        "a column less": made_of(migrations.RemoveField("message", "body")),
        "another name": made_of(migrations.RenameField("message", "body", "text")),
    }.items(),
    ids=lambda each: each[0],
)
def test_this_check_sees_what_would_make_people_wait(migration: tuple[str, migrations.Migration]) -> None:
    assert len(list(objections(migration[1]))) == 1


@pytest.mark.parametrize(
    "migration",
    {
        "a column": made_of(migrations.AddField("message", "good", models.DateTimeField(db_default=Now()))),
        "a new table": made_of(
            migrations.CreateModel("Good", fields=[]), migrations.AddIndex("good", models.Index("id", name="good"))
        ),
        "more kinds": made_of(
            migrations.AlterField(
                "message", "kind", models.CharField(max_length=9, choices=[("poll", "Poll")], default="text")
            )
        ),
        "SQL with a reason": made_of(migrations.RunSQL("SELECT 1", hints={"reason": "it reads nothing"})),
        "everything online": made_of(
            AddColumn("message", "good", models.IntegerField(null=True)),
            RunInBatches("message", "UPDATE messaging_message SET good = 1 WHERE id = ANY(%(keys)s)"),
            AddIndexOnline("message", models.Index("good", name="good")),
            AddConstraintNotValid("message", CHECK),
            CreateTable("Good", fields=[]),
            atomic=False,
        ),
    }.items(),
    ids=lambda each: each[0],
)
def test_this_check_lets_pass_what_makes_nobody_wait(migration: tuple[str, migrations.Migration]) -> None:
    assert list(objections(migration[1])) == []
