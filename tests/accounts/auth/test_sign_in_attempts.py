"""Failed sign-in attempts: whom they lock out, and whom they do not."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.auth.known_devices import Devices, digest_of, known_device
from accounts.auth.password_change import set_password
from accounts.auth.passwords import check_password
from accounts.auth.sessions import end_all_sessions, end_other_sessions, end_session, sign_out, start_session
from accounts.models import Session, User
from chatproject.core.rate_limits import RateLimited, quotas
from tests.accounts.visitor import PASSWORD, Visitor, words

pytestmark = pytest.mark.usefixtures("committed")
HOME, ELSEWHERE = "198.51.100.1", "203.0.113.66"


@pytest.fixture(autouse=True)
def _limited(settings: Any, unhurried: None) -> None:
    settings.CHAT_LIMITS = True


def attempt(password: str = PASSWORD, *, name: str = "dora", address: str = HOME, devices: Devices = ()) -> User | None:
    return check_password(username=name, password=password, address=address, devices=devices)


def fail(*, number: int = quotas.SIGN_IN_FAILURES.quota, **where: Any) -> None:
    for _ in range(number):
        assert attempt("wrong", **where) is None


def is_kept_out(**where: Any) -> bool:
    try:
        return attempt(**where) is None
    except RateLimited:
        return True


@pytest.fixture
def laptop(dora: User) -> list[bytes]:
    """A device on which dora has signed in, as its next attempt shows it."""
    return [digest_of(start_session(user=dora).device_token)]


def test_after_five_failures_a_name_waits_at_that_address_alone(dora: User) -> None:
    fail(name=" DORA ", address=ELSEWHERE)
    assert is_kept_out(address=ELSEWHERE)
    assert not is_kept_out(address=HOME)


def test_after_five_failures_other_names_do_not_wait(dora: User, person: Any) -> None:
    person("bob", PASSWORD)
    fail()
    assert not is_kept_out(name="bob")


def test_a_name_that_nobody_has_waits_as_well(dora: User) -> None:
    fail(name="nobody")
    with pytest.raises(RateLimited):
        attempt(name="nobody")


def test_addresses_of_one_network_count_together(dora: User) -> None:
    for last in range(quotas.SIGN_IN_FAILURES.quota):
        fail(number=1, address=f"2001:db8:1:2::{last}")
    assert is_kept_out(address="2001:db8:1:2:ffff::1")
    assert not is_kept_out(address="2001:db8:1:3::1")


def test_a_known_device_is_let_in_whoever_fails_beside_it(dora: User, laptop: list[bytes]) -> None:
    fail()
    for number in range(quotas.SIGN_IN_FAILURES_OF_ADDRESS.quota - quotas.SIGN_IN_FAILURES.quota):
        fail(number=1, name=f"nobody-{number}")
    assert is_kept_out()
    assert not is_kept_out(devices=laptop)


def test_a_known_device_has_failures_of_its_own_and_uses_up_nobody_elses(dora: User, laptop: list[bytes]) -> None:
    fail(devices=laptop)
    assert is_kept_out(devices=laptop)
    assert not is_kept_out()


def test_a_device_is_known_to_its_person_alone(dora: User, person: Any, laptop: list[bytes]) -> None:
    bob = person("bob", PASSWORD)
    fail(name="bob")
    assert is_kept_out(name="bob", devices=laptop)
    both = [*laptop, digest_of(start_session(user=bob, devices=laptop).device_token)]
    assert not is_kept_out(name="bob", devices=both)
    assert known_device(username="dora", devices=both) == laptop[0]


def test_a_device_that_is_known_stays_known_by_the_same_token(dora: User, laptop: list[bytes]) -> None:
    assert start_session(user=dora, devices=laptop).device_token == ""
    assert start_session(user=dora).device_token != ""


def test_signing_out_leaves_a_device_known(dora: User, laptop: list[bytes]) -> None:
    sign_out(session=dora.sessions.get())
    assert known_device(username="dora", devices=laptop)


@pytest.mark.parametrize(
    "act",
    [
        lambda dora, here: end_all_sessions(user=dora),
        lambda dora, here: end_other_sessions(session=here),
        lambda dora, here: set_password(user=dora, password=PASSWORD, keep=here),
        lambda dora, here: set_password(user=dora, password=PASSWORD),
        lambda dora, here: [end_session(session=session) for session in dora.sessions.exclude(pk=here.pk)],
    ],
    ids=["all", "others", "password", "password reset", "each"],
)
@pytest.mark.parametrize("was_signed_out", [True, False])
def test_commands_that_end_sessions_forget_their_devices(
    act: Any, was_signed_out: bool, dora: User, laptop: Any
) -> None:
    """Also those whose sessions had ended before: a copy of a token is worth nothing afterwards."""
    start_session(user=dora, devices=laptop)
    if was_signed_out:
        sign_out(session=dora.sessions.latest("pk"))
    act(dora, Session.objects.get(pk=start_session(user=dora).pk))
    assert known_device(username="dora", devices=laptop) is None
    assert start_session(user=dora, devices=laptop).device_token != ""


def test_ending_the_other_sessions_keeps_the_current_device_known(dora: User, laptop: list[bytes]) -> None:
    end_other_sessions(session=Session.objects.get(pk=start_session(user=dora, devices=laptop).pk))
    assert known_device(username="dora", devices=laptop)


def test_a_device_that_was_not_used_for_long_is_not_known(dora: User, laptop: list[bytes]) -> None:
    Session.objects.update(last_seen_at=timezone.now() - timedelta(days=401))
    assert known_device(username="dora", devices=laptop) is None


# The doors


def sign_in(password: str = PASSWORD, **more: Any) -> Any:
    body = {"username": "dora", "password": password, **more}
    return Client().post("/api/v1/auth/token", body, content_type="application/json")


def test_an_app_is_let_in_by_its_token(dora: User) -> None:
    token = sign_in().json()["data"]["device_token"]
    assert [sign_in("wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    assert sign_in().status_code == 429
    answer = sign_in(device_token=token)
    assert (answer.status_code, answer.json()["data"]["device_token"]) == (200, None)
    assert sign_in(device_token=token + "x").status_code == 429


def test_a_browser_is_let_in_by_its_cookie_after_it_was_signed_out(dora: User) -> None:
    mine, stranger = Visitor(), Visitor()
    mine.sign_in("dora")
    cookie = mine.client.cookies["device"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    mine.submit("/accounts/logout/")
    for _ in range(5):
        stranger.sign_in("dora", "wrong")
    assert "Too many failed attempts" in words(stranger.sign_in("dora"))
    assert not stranger.is_in
    mine.sign_in("dora")
    assert mine.is_in


def test_the_cookie_of_a_shared_browser_knows_each_of_its_people(dora: User, person: Any) -> None:
    person("bob", PASSWORD)
    shared = Visitor()
    for name in ("dora", "bob", "dora"):
        shared.sign_in(name)
        shared.submit("/accounts/logout/")
    tokens = shared.client.cookies["device"].value.split(".")
    assert len(tokens) == 2
    shown = [digest_of(token) for token in tokens]
    assert known_device(username="dora", devices=shown) != known_device(username="bob", devices=shown)


def test_someone_who_is_signed_in_may_show_their_password_whoever_fails_beside_them(dora: User) -> None:
    token = sign_in().json()["data"]["access"]
    for _ in range(6):
        sign_in("wrong")
    body = {"old_password": PASSWORD, "new_password": "another one, and long"}
    mine = Client(headers={"Authorization": f"Bearer {token}"})
    assert mine.post("/api/v1/auth/password", body, content_type="application/json").status_code == 204


def test_a_page_counts_wrong_guesses_at_the_old_password(dora: User) -> None:
    visitor = Visitor()
    visitor.sign_in("dora")
    new = {"password1": "another one, and long", "password2": "another one, and long"}
    said = [words(visitor.submit("/accounts/password/change/", oldpassword="wrong", **new)) for _ in range(5)]
    assert all("That is not your password." in each for each in said)
    assert is_kept_out(devices=[digest_of(visitor.client.cookies["device"].value)])
