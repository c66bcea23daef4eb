"""The secrets of second factors: each opens in its own row and nowhere else, and former ones are bound to theirs."""

import base64
import os
from importlib import import_module
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from accounts.auth.second_factor import factors_of, use_code
from accounts.models import User
from chatproject.core.encryption.errors import MissingKey
from chatproject.core.encryption.sealing import NO_ID, seal
from messaging.migrations import __name__ as migrations
from tests.accounts.conftest import code
from tests.accounts.visitor import PASSWORD, Visitor, words
from tests.support.codes import code_of, forget_used_codes
from tests.support.redis import empty_redis

MIGRATION = "0009_bound_secrets"


@pytest.fixture
def secret(alice: User) -> str:
    """The secret of alice's app."""
    empty_redis()
    return set_up(alice)


def set_up(user: User) -> str:
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def paper_of(user: User) -> list[str]:
    codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    return codes


def kept(user: User, type: str = "totp") -> dict[str, Any]:
    data: dict[str, Any] = Authenticator.objects.filter(user=user, type=type).values_list("data", flat=True).get()
    return data


def keep(user: User, data: dict[str, Any], type: str = "totp") -> None:
    """Write what a row holds straight into the database."""
    Authenticator.objects.filter(user=user, type=type).update(data=data)


def former(text: str) -> str:
    """A secret as it was sealed when all of them were bound to the same place."""
    return base64.b64encode(seal(text, field="secret", row=NO_ID, conversation=NO_ID)).decode()


def bind() -> None:
    """Run the migration that binds former secrets."""
    import_module(f"{migrations}.{MIGRATION}").bind_secrets(apps, None)


@pytest.fixture
def before(data: None) -> None:
    """A database that the migration has not been through, nor any that needs it."""
    for app, name in MigrationLoader(connection).graph.backwards_plan(("messaging", MIGRATION)):
        MigrationRecorder(connection).record_unapplied(app, name)


def test_a_secret_opens_in_its_own_row(alice: User, secret: str) -> None:
    paper = paper_of(alice)
    assert use_code(user=alice, code=code_of(secret))
    assert use_code(user=alice, code=paper[0])
    assert not use_code(user=alice, code=paper[0])
    assert secret not in str(kept(alice))


@pytest.mark.parametrize("copied", [True, False])
def test_the_app_of_another_opens_nothing_when_rows_are_swapped(
    alice: User, mallory: User, secret: str, copied: bool
) -> None:
    theirs = set_up(mallory)
    mine, others = kept(alice), kept(mallory)
    keep(alice, others)
    if not copied:
        keep(mallory, mine)
    assert not use_code(user=alice, code=code_of(theirs))
    assert not use_code(user=alice, code=code_of(secret))
    assert bool(use_code(user=mallory, code=code_of(theirs))) is copied


def test_codes_on_paper_of_another_open_nothing_when_rows_are_swapped(alice: User, mallory: User) -> None:
    mine, theirs = paper_of(alice), paper_of(mallory)
    keep(alice, kept(mallory, "recovery_codes"), "recovery_codes")
    assert [use_code(user=alice, code=each) for each in (mine[0], theirs[0])] == [None, None]
    assert use_code(user=mallory, code=theirs[0])
    assert factors_of(alice).codes == 0


def test_the_secret_of_an_app_is_no_seed_of_codes(alice: User, secret: str) -> None:
    paper = paper_of(alice)
    keep(alice, {"seed": kept(alice)["secret"], "used_mask": 0}, "recovery_codes")
    assert not use_code(user=alice, code=paper[0])
    # What does not open stands in the way of nothing else.
    assert use_code(user=alice, code=code_of(secret))


@pytest.mark.usefixtures("committed")
def test_every_door_refuses_a_secret_that_was_put_there(dora: User, mallory: User) -> None:
    set_up(dora)
    theirs = set_up(mallory)
    keep(dora, kept(mallory))
    said = {"username": "dora", "password": PASSWORD, "code": code_of(theirs)}
    assert code(Client().post("/api/v1/auth/token", said, content_type="application/json")) == (401, "bad_credentials")
    visitor = Visitor()
    visitor.sign_in("dora")
    assert "That is not the code." in words(visitor.submit("/accounts/2fa/authenticate/", code=code_of(theirs)))
    assert not visitor.is_in


@pytest.mark.parametrize("sealed", ["", "bound:", "bound:AAAA", "new:AAAA", "nonsense!", "bound:nonsense!"])
def test_what_is_no_secret_opens_nothing(alice: User, secret: str, sealed: str) -> None:
    keep(alice, {"secret": sealed})
    assert not use_code(user=alice, code=code_of(secret))


def test_a_new_secret_is_bound_before_it_is_stored(alice: User, secret: str) -> None:
    assert kept(alice)["secret"].startswith("bound:")


# Those of before


def test_a_former_secret_opens_until_it_is_bound_and_then_in_its_row(before: None, alice: User, secret: str) -> None:
    keep(alice, {"secret": former(secret)})
    assert use_code(user=alice, code=code_of(secret))
    bind()
    forget_used_codes()
    assert kept(alice)["secret"].startswith("bound:")
    assert use_code(user=alice, code=code_of(secret))


def test_once_all_are_bound_a_former_secret_is_worth_nothing(alice: User, secret: str) -> None:
    keep(alice, {"secret": former(secret)})
    assert not use_code(user=alice, code=code_of(secret))


def test_binding_goes_on_where_it_was_ended(before: None, alice: User, bob: User, secret: str) -> None:
    set_up(bob)
    done = kept(bob)
    keep(alice, {"secret": former(secret)})
    for _ in range(2):
        bind()
    assert kept(bob) == done
    assert use_code(user=alice, code=code_of(secret))


def test_more_rows_than_go_at_once_are_all_bound(before: None, person: Any) -> None:
    people = User.objects.bulk_create(User(username=f"person{n}", password="!") for n in range(205))
    rows = [Authenticator(user=user, type="totp", data={"secret": former("S" * 32)}) for user in people]
    Authenticator.objects.bulk_create(rows)
    bind()
    assert Authenticator.objects.filter(data__secret__startswith="bound:").count() == len(people)


def test_a_damaged_secret_keeps_no_other_from_being_bound(before: None, alice: User, bob: User, secret: str) -> None:
    set_up(bob)
    keep(alice, {"secret": former(secret)[:-8] + "AAAAAAA="})
    damaged = kept(alice)
    keep(bob, {"secret": former(secret)})
    bind()
    assert kept(alice) == damaged
    assert use_code(user=bob, code=code_of(secret))


def test_a_missing_key_stops_the_binding_and_is_named(before: None, alice: User, secret: str, settings: Any) -> None:
    sealed = former(secret)
    keep(alice, {"secret": sealed})
    settings.CHAT_KEYS = [base64.urlsafe_b64encode(os.urandom(32)).decode()]
    with pytest.raises(MissingKey):
        bind()
    with pytest.raises(CommandError, match="not in CHAT_KEYS"):
        call_command("prepare")
    assert kept(alice) == {"secret": sealed}
