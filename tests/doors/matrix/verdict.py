"""What comes of an attempt: the door's answer, held against what has changed and what must not be told."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection

from accounts.models import Session
from tests.doors.matrix.doors import Answer, Door
from tests.doors.matrix.table import Case
from tests.doors.matrix.ways import WAYS, Way
from tests.doors.matrix.world import NAME, SCENES, Nothing, Scene, World

Tables = dict[str, str]
Apart = Callable[[], AbstractContextManager[Any]]


def wanted(doors: Iterable[str], case: Case) -> dict[str, str]:
    """What the table says, for everyone at every door."""
    *_, row = case
    return {f"{role} by {door}": word for door in doors for role, word in row.items()}


def found(doors: Mapping[str, Door], world: World, case: Case, *, apart: Apart) -> dict[str, str]:
    """Let everyone try something at every door, each apart from the others.

    Says in a word what comes of it, and in more words what should not.
    """
    kind, action, row = case
    way, scene_of = WAYS[action], SCENES[kind]
    nothing = Nothing(scene_of(world, "stranger"))
    came_of = {}
    with apart():
        moulds = {name: door(world, "stranger", way, nothing).mould for name, door in doors.items()}
    for role in row:
        with apart():
            scene = scene_of(world, role)
            scene.prepare(way)
            before = stored()
            for name, door in doors.items():
                with apart():
                    answer = door(world, role, way, scene)
                    came_of[f"{role} by {name}"] = " ".join(_verdict(answer, scene, way, before, moulds[name]))
    return came_of


def _verdict(answer: Answer, scene: Scene, way: Way, before: Tables, mould: Any) -> Iterator[str]:
    after = stored()
    yield _word_for(answer, way, {name for name in after if after[name] != before[name]})
    is_yes = answer.word == "ok"
    hidden = scene.hidden - ({NAME} if way.introduces and is_yes else set())
    yield from (f"and tells {words!r}" for words in sorted(hidden) if words in answer.said)
    if is_yes and scene.is_in and way.shows.format_map(scene) not in answer.said:
        yield f"without {way.shows}"
    if answer.word == "not_found" and answer.mould != mould:
        yield "unlike what is not there"


def _word_for(answer: Answer, way: Way, changed: set[str]) -> str:
    due = set(way.writes.split())
    if answer.word != "ok":
        return f"{answer.word}, but changes {sorted(changed)}" if changed else answer.word
    if due and not changed:
        return "idle"
    return "ok" if due <= changed and bool(due) == bool(changed) else f"ok, and changes {sorted(changed)}"


def stored() -> Tables:
    """Fingerprint every table of ours, so that a change of any row is seen."""
    with connection.cursor() as cursor:
        cursor.execute(_fingerprints())
        return dict(cursor.fetchall())


@cache
def _fingerprints() -> str:
    apps_of_ours = [apps.get_app_config(name) for name in ("accounts", "conversations", "messaging")]
    # That a device was seen is no change.
    models = [model for app in apps_of_ours for model in app.get_models() if model is not Session]
    one = "SELECT '{0.model_name}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {0.db_table} t"
    return " UNION ALL ".join(one.format(model._meta) for model in models)
