"""Two people use the pages at the same time."""

from typing import Any

import pytest

from accounts.models import User
from chatproject.core.ids import uuid7
from tests.accounts.visitor import PASSWORD, Visitor, here, words
from tests.support.together import another_connection, ended_together, until_blocked

COPY = """
INSERT INTO accounts_user SELECT (jsonb_populate_record(u, %s::jsonb)).* FROM accounts_user u WHERE username = 'dora'
"""


@pytest.mark.usefixtures("committed")
def test_whoever_comes_second_to_a_name_is_told(dora: User) -> None:
    with another_connection() as first:
        first.execute(COPY, [f'{{"id": "{uuid7()}", "username": "erin"}}'])

        def sign_up() -> Any:
            return Visitor().submit("/accounts/signup/", username="erin", password1=PASSWORD, password2=PASSWORD)

        def commit_when_awaited() -> None:
            until_blocked()
            first.commit()

        second, _ = (each.result() for each in ended_together(sign_up, commit_when_awaited))
    assert here(second) == "/accounts/signup/"
    assert "Someone has just taken this name." in words(second)
