"""The page behind an invitation link, for people who are signed in and people who are not."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from conversations.groups import remove_member
from conversations.invite_links import accept_link, make_link, revoke_link
from conversations.models import Conversation, InviteLink
from tests.accounts.visitor import PASSWORD, Visitor, here, words
from tests.messaging.helpers import place
from tests.support.redis import empty_redis


@pytest.fixture
def unhurried(data: None, settings: Any) -> None:
    """Let a test sign in as often as it likes, without the time that good hashes take."""
    empty_redis()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def dora(person: Callable[..., User], unhurried: None) -> User:
    """Someone who signs in by the form."""
    return person("dora", PASSWORD)


@pytest.fixture
def path(alice: User, group: Conversation) -> str:
    """Where a link into the group leads."""
    return f"/join/{make_link(by=alice, conversation_id=group.pk)[1]}"


def test_whoever_has_the_link_sees_where_it_leads(mallory: User, path: str) -> None:
    for visitor in (Visitor(), Visitor(mallory)):
        page = visitor.get(path)
        assert "You are invited G Garden 3 members" in words(page)
        # No other site, and no log of our own, learns the token from the address someone came from.
        assert page["Referrer-Policy"] == "strict-origin"


def test_someone_who_is_signed_in_joins_with_one_click(mallory: User, group: Conversation, path: str) -> None:
    answer = Visitor(mallory).submit(path)
    assert here(answer) == f"/conversations/{group.pk}"
    assert "You joined by a link." in words(answer)


def test_a_stranger_signs_in_and_is_in_the_group(dora: User, group: Conversation, path: str) -> None:
    visitor = Visitor()
    wish = visitor.submit(path)
    assert here(wish) == "/accounts/login/"
    assert path.removeprefix("/join/") not in wish.content.decode()
    answer = visitor.submit("/accounts/login/?next=/join", "/accounts/login/", login="dora", password=PASSWORD)
    assert here(answer) == f"/conversations/{group.pk}"
    assert place(dora, group).left_at is None


def test_who_has_no_account_makes_one_on_the_way(unhurried: None, group: Conversation, path: str) -> None:
    visitor = Visitor()
    visitor.submit(path)
    known = {"username": "erin", "password1": PASSWORD, "password2": PASSWORD}
    answer = visitor.submit("/accounts/signup/?next=/join", "/accounts/signup/", **known)
    assert here(answer) == f"/conversations/{group.pk}"


def test_a_remembered_invitation_is_accepted_once(mallory: User, group: Conversation, path: str) -> None:
    visitor = Visitor(mallory)
    visitor.submit(path)
    visitor.post(f"/conversations/{group.pk}/leave")
    assert here(visitor.get("/join")) == "/"
    assert place(mallory, group).left_at


def test_viewing_a_link_makes_nobody_a_member(mallory: User, group: Conversation, path: str) -> None:
    Visitor(mallory).get(path)
    assert not group.participants.filter(user=mallory).exists()
    assert InviteLink.objects.get().uses == 0


def test_a_member_is_simply_shown_the_group(bob: User, group: Conversation, path: str) -> None:
    assert here(Visitor(bob).get(path)) == f"/conversations/{group.pk}"


def test_a_link_that_is_over_says_so(alice: User, mallory: User, group: Conversation, path: str) -> None:
    visitor = Visitor(mallory)
    revoke_link(by=alice, conversation_id=group.pk, link_id=InviteLink.objects.get().pk)
    page = visitor.get(path)
    assert page.status_code == 410
    assert "This invitation is over" in words(page)


def test_a_link_says_to_whom_an_admin_removed_that_only_an_admin_brings_them_back(
    alice: User, mallory: User, group: Conversation, path: str
) -> None:
    accept_link(by=mallory, token=path.removeprefix("/join/"))
    remove_member(by=alice, conversation_id=group.pk, user_id=mallory.pk)
    for answer in (Visitor(mallory).get(path), Visitor(mallory).post(path)):
        assert answer.status_code == 403
        assert "Only an admin can add you again." in words(answer)


def test_a_link_that_ends_on_the_way_to_signing_in_says_so(dora: User, path: str) -> None:
    visitor = Visitor()
    visitor.submit(path)
    InviteLink.objects.update(expires_at=timezone.now())
    answer = visitor.submit("/accounts/login/?next=/join", "/accounts/login/", login="dora", password=PASSWORD)
    assert answer.status_code == 410


def test_a_full_group_refuses_kindly(mallory: User, path: str, settings: Any) -> None:
    settings.GROUP_MEMBERS = 3
    answer = Visitor(mallory).submit(path)
    assert answer.status_code == 409
    assert "This group is full." in words(answer)


def test_an_invented_token_leads_nowhere(data: None) -> None:
    assert Visitor().get("/join/nothing").status_code == 404
