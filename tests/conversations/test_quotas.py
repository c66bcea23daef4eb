"""Quotas of commands: additions to groups, groups, links, invitations, forwards and reports."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from accounts.models import User
from chatproject.core import rate_limits
from chatproject.core.errors import Blocked, NotAllowed, Unprocessable
from chatproject.core.rate_limits import RateLimited, quotas
from conversations.contacts.blocks import block
from conversations.contacts.invitations import invite
from conversations.creation import create_group
from conversations.groups import add_members, leave, remove_member
from conversations.invite_links import accept_link, make_link
from conversations.models import Conversation, Participant
from messaging.messages.send import send_direct, send_message
from messaging.models import Report
from messaging.moderation.reports import report_person
from tests.accounts.conftest import Caller
from tests.accounts.visitor import Visitor, words
from tests.support.redis import empty_redis

pytestmark = pytest.mark.usefixtures("data")
MEMBERS = 10
"""The size limit of groups in these tests; the daily quota of additions is twice as large."""


@pytest.fixture(autouse=True)
def _limited(settings: Any) -> Any:
    settings.CHAT_LIMITS, settings.GROUP_MEMBERS = True, MEMBERS
    yield
    empty_redis()


@pytest.fixture
def crowd() -> list[User]:
    """More people than the daily quota of additions allows."""
    return User.objects.bulk_create([User(username=f"person-{number:02}") for number in range(3 * MEMBERS)])


def spend(limit: rate_limits.Limit, by: User, *, leave: int = 0) -> None:
    """Consume a limit until only `leave` is left for a person."""
    assert rate_limits.consume([(limit, by.pk)], cost=left(limit, by) - leave).allowed


def left(limit: rate_limits.Limit, by: User) -> int:
    return rate_limits.consume([(limit, by.pk)], cost=0).remaining


ADDITIONS = quotas.group_additions(MEMBERS)


# Additions


def test_the_daily_quota_allows_two_groups_of_the_largest_size(alice: User, crowd: Any) -> None:
    for turn in range(2):
        create_group(by=alice, name="Everyone", participants=crowd[: MEMBERS - 1])
        assert left(ADDITIONS, alice) == 2 * MEMBERS - (turn + 1) * (MEMBERS - 1)
    with pytest.raises(RateLimited) as refused:
        create_group(by=alice, name="Everyone", participants=crowd[: MEMBERS - 1])
    assert refused.value.verdict.limit.name == "participants"
    assert Conversation.objects.count() == 2
    # A refused command consumes nothing, so a smaller group can still be created.
    create_group(by=alice, name="Two", participants=crowd[:2])
    assert left(ADDITIONS, alice) == 0


def test_existing_members_cost_nothing(alice: User, crowd: Any) -> None:
    group = create_group(by=alice, name="Garden", participants=crowd[:3])
    add_members(by=alice, conversation_id=group.pk, users=crowd[:5])
    assert left(ADDITIONS, alice) == 2 * MEMBERS - 5
    for _ in range(3):
        add_members(by=alice, conversation_id=group.pk, users=crowd[:5])
    assert left(ADDITIONS, alice) == 2 * MEMBERS - 5


def test_adding_the_same_person_again_costs_every_time(alice: User, bob: User) -> None:
    group = create_group(by=alice, name="Garden")
    spend(ADDITIONS, alice, leave=3)
    for _ in range(3):
        add_members(by=alice, conversation_id=group.pk, users=[bob])
        remove_member(by=alice, conversation_id=group.pk, user_id=bob.pk)
    with pytest.raises(RateLimited):
        add_members(by=alice, conversation_id=group.pk, users=[bob])


def test_a_refused_command_costs_nothing(alice: User, bob: User, carol: User, crowd: Any) -> None:
    group = create_group(by=alice, name="Garden", participants=[bob])
    before = left(ADDITIONS, alice), left(quotas.GROUPS, alice)
    block(by=carol, other=alice)
    with pytest.raises(Blocked):
        add_members(by=alice, conversation_id=group.pk, users=[carol, *crowd[:3]])
    with pytest.raises(Blocked):
        create_group(by=alice, name="Another", participants=[carol])
    with pytest.raises(NotAllowed):
        add_members(by=bob, conversation_id=group.pk, users=crowd[:3])
    assert (left(ADDITIONS, alice), left(quotas.GROUPS, alice)) == before
    assert left(ADDITIONS, bob) == 2 * MEMBERS


def test_joining_by_a_link_costs_the_person_who_joins(alice: User, bob: User) -> None:
    group = create_group(by=alice, name="Garden")
    token = make_link(by=alice, conversation_id=group.pk)[1]
    spend(ADDITIONS, bob, leave=2)
    for _ in range(2):
        accept_link(by=bob, token=token)
        accept_link(by=bob, token=token)
        leave(by=bob, conversation_id=group.pk)
    with pytest.raises(RateLimited):
        accept_link(by=bob, token=token)
    assert left(ADDITIONS, alice) == 2 * MEMBERS


# Other commands


def a_group(by: User, turn: int, crowd: Any) -> None:
    create_group(by=by, name=f"Group {turn}")


def an_invitation(by: User, turn: int, crowd: Any) -> None:
    invite(by=by, to=crowd[turn])


def a_link(by: User, turn: int, crowd: Any) -> None:
    group = Conversation.objects.filter(owner=by).first() or create_group(by=by, name="Garden")
    make_link(by=by, conversation_id=group.pk)


def a_report(by: User, turn: int, crowd: Any) -> None:
    report_person(by=by, user=crowd[turn], reason=Report.Reason.SPAM)


@pytest.mark.parametrize(
    ("act", "limit"),
    [
        (a_group, quotas.GROUPS),
        (an_invitation, quotas.CONTACT_INVITATIONS),
        (a_link, quotas.INVITE_LINKS),
        (a_report, quotas.REPORTS),
    ],
)
def test_a_daily_quota_limits_each_command(act: Callable[..., None], limit: Any, alice: User, crowd: Any) -> None:
    act(alice, 0, crowd)
    assert left(limit, alice) == limit.quota - 1
    spend(limit, alice, leave=1)
    act(alice, 1, crowd)
    with pytest.raises(RateLimited) as refused:
        act(alice, 2, crowd)
    assert refused.value.verdict.limit == limit
    assert refused.value.verdict.retry_after > 60


@pytest.mark.parametrize(("act", "limit"), [(an_invitation, quotas.CONTACT_INVITATIONS), (a_report, quotas.REPORTS)])
def test_a_repeated_command_costs_nothing(act: Callable[..., None], limit: Any, alice: User, crowd: Any) -> None:
    for _ in range(4):
        act(alice, 0, crowd)
    assert left(limit, alice) == limit.quota - 1


def test_an_invitation_that_never_arrives_costs_the_same(alice: User, bob: User) -> None:
    block(by=bob, other=alice)
    invite(by=alice, to=bob)
    assert left(quotas.CONTACT_INVITATIONS, alice) == quotas.CONTACT_INVITATIONS.quota - 1


def test_forwards_are_counted_and_repeats_are_not(alice: User, conversation: Conversation) -> None:
    where = {"by": alice, "conversation_id": conversation.pk}
    original = UUID(send_message(**where, text="Pass it on").message["id"])
    sent = UUID(send_message(**where, forward_of_id=original).message["id"])
    for _ in range(3):
        assert send_message(**where, id=sent, forward_of_id=original).repeated
    assert left(quotas.FORWARDS, alice) == quotas.FORWARDS.quota - 1
    spend(quotas.FORWARDS, alice)
    with pytest.raises(RateLimited):
        send_message(**where, forward_of_id=original)


def test_the_first_message_to_a_person_may_be_a_forward_and_costs_as_much(
    alice: User, mallory: User, conversation: Conversation
) -> None:
    original = UUID(send_message(by=alice, conversation_id=conversation.pk, text="Pass it on").message["id"])
    sent = UUID(send_direct(by=alice, to=mallory, forward_of_id=original).message["id"])
    assert send_direct(by=alice, to=mallory, id=sent, forward_of_id=original).repeated
    assert left(quotas.FORWARDS, alice) == quotas.FORWARDS.quota - 1
    with pytest.raises(Unprocessable):
        send_direct(by=alice, to=alice, forward_of_id=original)
    assert left(quotas.FORWARDS, alice) == quotas.FORWARDS.quota - 1


# REST


@pytest.fixture
def rest(access: Callable[[User], str]) -> Callable[[User], Caller]:
    """Sign a person in to call the API."""
    return lambda user: Caller(access(user))


@pytest.fixture
def post(rest: Any, alice: User) -> Callable[..., Any]:
    """Call the API as alice."""
    caller = rest(alice)
    return lambda path, **body: caller.send("post", path, body)


def referred(people: list[User]) -> list[dict[str, str]]:
    return [{"username": user.username} for user in people]


def test_the_api_returns_the_remaining_quota_and_when_to_retry(post: Any, alice: User, crowd: Any) -> None:
    made = post("/conversations", kind="group", name="Garden", participants=referred(crowd[: MEMBERS - 1]))
    assert made.status_code == 201
    assert made["RateLimit-Policy"] == f'"participants";q={2 * MEMBERS};w=86400'
    assert made["RateLimit"].startswith(f'"participants";r={MEMBERS + 1};t=')
    spend(ADDITIONS, alice, leave=1)
    path = f"/conversations/{post('/conversations', kind='group', name='Small').json()['data']['id']}/participants"
    assert post(path, users=referred(crowd[:1])).status_code == 200
    refused = post(path, users=referred(crowd[:3]))
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused["RateLimit"].startswith('"participants";r=0;')
    assert int(refused["Retry-After"]) > 60
    # A call without additions reports the general limit of calls.
    assert post(path, users=[])["RateLimit-Policy"].startswith('"calls"')


def test_the_cost_of_a_call_depends_on_its_size(rest: Any, alice: User, conversation: Conversation) -> None:
    path = f"/conversations/{conversation.pk}/me"
    assert rest(alice).send("patch", path, {"draft": "x" * 9000})["RateLimit"].startswith('"calls";r=597;')


def test_a_search_costs_as_much_as_three_calls(rest: Any, alice: User) -> None:
    assert rest(alice).get("/users", search="bo")["RateLimit"].startswith('"calls";r=597;')


# Pages


def make_group(visitor: Visitor, people: list[User]) -> Any:
    names = " ".join(user.username for user in people)
    filled = {"kind": "group", "group-name": "Garden", "group-people": names}
    return visitor.submit("/conversations/new", "/conversations/new", **filled)


def test_a_refused_form_keeps_its_input_and_says_when_to_retry(alice: User, crowd: Any) -> None:
    spend(ADDITIONS, alice, leave=2)
    answer = make_group(Visitor(alice), crowd[:3])
    assert answer.status_code == 429
    assert "That is enough for now. Please try again in 72 minutes." in words(answer)
    assert "person-00 person-01 person-02" in answer.content.decode()
    assert not Conversation.objects.exists()


def test_a_page_adds_no_more_people_than_the_api(alice: User, crowd: Any) -> None:
    group = create_group(by=alice, name="Garden")
    spend(ADDITIONS, alice)
    path = f"/conversations/{group.pk}/info"
    answer = Visitor(alice).submit(path, f"/conversations/{group.pk}/people", **{"add-people": crowd[0].username})
    assert (answer.status_code, "That is enough for now." in words(answer)) == (429, True)
    assert Participant.objects.filter(conversation=group).count() == 1


def test_a_form_refuses_more_people_than_a_group_may_have(alice: User, crowd: Any) -> None:
    answer = make_group(Visitor(alice), crowd)
    assert (answer.status_code, "at most 10 members" in words(answer)) == (400, True)


def test_joining_by_link_on_the_page_is_limited(alice: User, bob: User) -> None:
    group = create_group(by=alice, name="Garden")
    token = make_link(by=alice, conversation_id=group.pk)[1]
    spend(ADDITIONS, bob)
    assert Visitor(bob).submit(f"/join/{token}").status_code == 429


def test_inviting_someone_on_their_page_is_limited(alice: User, bob: User) -> None:
    spend(quotas.CONTACT_INVITATIONS, alice)
    answer = Visitor(alice).submit(f"/people/{bob.pk}", f"/people/{bob.pk}/invite")
    assert "That is enough for now." in words(answer)


def overdraw(limit: rate_limits.Limit, subject: object) -> None:
    """Exhaust a limit for at least a minute, so that a slow machine does not refill it during the test."""
    rate_limits.consume_unchecked([(limit, subject)], cost=2 * limit.quota)


def test_too_many_page_views_are_refused_for_that_person_only(
    alice: User, bob: User, conversation: Conversation
) -> None:
    reader, pages = Visitor(alice), ["/", f"/conversations/{conversation.pk}", "/settings", "/accounts/email/"]
    assert [reader.get(page).status_code for page in pages] == [200] * len(pages)
    overdraw(quotas.CALLS, alice.pk)
    refused = [reader.get(page) for page in pages]
    assert [answer.status_code for answer in refused] == [429] * len(pages)
    assert all(int(answer["Retry-After"]) >= 1 for answer in refused)
    assert Visitor(bob).get(pages[1]).status_code == 200


def test_anonymous_page_views_are_limited_per_address() -> None:
    paths = ["/accounts/login/", "/api/openapi.yaml", "/healthz"]
    assert [Visitor().get(path).status_code for path in paths] == [200] * len(paths)
    overdraw(quotas.CALLS_OF_ADDRESS, "127.0.0.1")
    refused = [Visitor().get(path) for path in paths]
    assert [answer.status_code for answer in refused] == [429, 429, 200]
    assert refused[1].json()["code"] == "rate_limited"
