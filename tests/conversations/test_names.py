"""Names of people and groups: no invisible names, and no characters that change the text around them."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.auth.registration import register
from accounts.models import User
from chatproject.core.errors import Invalid
from chatproject.core.text import name_error
from conversations.contacts.profile import update_me
from conversations.creation import create_group
from conversations.groups import update_group
from conversations.models import Conversation
from tests.accounts.visitor import Visitor, words

MISLEADING = ["Ann\x07", "Ann\x1b[31m", "Ann\x85", "Ann\nBob", "Ann\u2028Bob", "\u202egnp.exe", "\u2066Ann"]
INVISIBLE = ["\u200b", "\u200d\u200d", "\ufeff", "\u00ad", "\u3164", "\u2800", "\u115f \u1160", "\u0301", "\U000e0041"]
GOOD = [
    "Ann",
    "Zoë",
    "Zoe\u0308",
    "李",
    "محمد",
    "\u200fשלום",
    "👨\u200d👩\u200d👧",
    "🫨",
    "?",
    "Ann \u200bB.",
    "می\u200cخواهم",
]


@pytest.mark.parametrize("name", MISLEADING + INVISIBLE, ids=ascii)
def test_misleading_and_invisible_names_are_refused(name: str) -> None:
    assert name_error(name)


@pytest.mark.parametrize("name", GOOD, ids=ascii)
def test_names_in_every_script_are_accepted(name: str) -> None:
    assert name_error(name) is None


def in_register(name: str, alice: User, group: Conversation) -> Any:
    register(username="newcomer", password="a-rather-long-one", display_name=name)


def in_settings(name: str, alice: User, group: Conversation) -> Any:
    update_me(by=alice, display_name=name)


def in_a_new_group(name: str, alice: User, group: Conversation) -> Any:
    create_group(by=alice, name=name)


def in_a_group(name: str, alice: User, group: Conversation) -> Any:
    update_group(by=alice, conversation_id=group.pk, name=name)


@pytest.mark.parametrize("name", ["\u202egnp.exe", "\u200b"], ids=ascii)
@pytest.mark.parametrize("call", [in_register, in_settings, in_a_new_group, in_a_group])
def test_every_command_refuses_such_a_name(call: Any, name: str, alice: User, group: Conversation) -> None:
    with pytest.raises((Invalid, ValidationError)):
        call(name, alice, group)
    assert set(User.objects.values_list("display_name", flat=True)) == {"Alice", "Bob", "Carol"}
    assert [each.name for each in Conversation.objects.all()] == ["Garden"]


def test_the_page_says_what_is_wrong_with_a_name(alice: User) -> None:
    answer = Visitor(alice).submit("/settings/profile", display_name="\u202eecilA")
    assert answer.status_code == 400
    assert "A name holds no control characters." in words(answer)
