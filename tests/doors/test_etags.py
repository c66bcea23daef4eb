"""Whoever has seen an answer is told that it is as it was, until it is not."""

from typing import Any

import pytest

from conversations.contacts.profile import update_me
from tests.doors.conftest import Rest
from tests.messaging.helpers import say

PATHS = ["/conversations/{conversation}", "/users/{bob}", "/users/me", "/server"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("form", ["{0}", "W/{1}", '"other", {0}', "*"])
def test_what_is_as_it_was_is_not_sent_again(rest: Rest, alice, bob, conversation, path: str, form: str) -> None:
    app, url = rest(alice), path.format(conversation=conversation.pk, bob=bob.pk)
    known = app.get(url).headers["ETag"]
    answer = app.get(url, headers={"If-None-Match": form.format(known, known.removeprefix("W/"))})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", known)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= {each.strip() for each in answer.headers["Vary"].split(",")}


@pytest.mark.parametrize("form", ['"other"', "W/", "nonsense", ""])
def test_what_is_not_known_is_sent(rest: Rest, alice, form: str) -> None:
    assert rest(alice).get("/users/me", headers={"If-None-Match": form}).status_code == 200


def test_what_has_changed_is_sent(rest: Rest, alice, bob, conversation) -> None:
    app = rest(alice)
    changes: dict[str, Any] = {
        f"/conversations/{conversation.pk}": lambda: say(bob, conversation, "Hi"),
        "/users/me": lambda: update_me(by=alice, about="New here"),
        f"/users/{bob.pk}": lambda: update_me(by=bob, display_name="Bobby"),
    }
    for url, change in changes.items():
        known = app.get(url).headers["ETag"]
        change()
        answer = app.get(url, headers={"If-None-Match": known})
        assert (answer.status_code, answer.headers["ETag"] != known) == (200, True)


def test_a_known_name_opens_nothing_to_others(rest: Rest, alice, mallory, conversation) -> None:
    url = f"/conversations/{conversation.pk}"
    known = rest(alice).get(url).headers["ETag"]
    for client, status in ((rest(mallory), 404), (rest(), 401)):
        assert client.get(url, headers={"If-None-Match": known}).status_code == status
