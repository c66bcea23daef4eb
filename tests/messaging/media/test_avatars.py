"""Avatars of people and groups: who sets them, who sees them, and when they are deleted."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from asgiref.sync import sync_to_async

from accounts.models import User
from conversations.contacts.account_closure import close_account
from messaging.media.cleanup import delete_unused_media
from messaging.models import Attachment
from tests.messaging.media.conftest import LONG_AGO, download, objects, send, upload
from tests.support import samples
from tests.support.client import Client

Phone = Callable[[User], httpx.Client]
App = Callable[[User], Awaitable[Client]]


def set_mine(app: httpx.Client, media: Any) -> httpx.Response:
    return app.patch("/users/me", json={"avatar_media_id": media and media["id"]})


def test_a_persons_picture_is_seen_by_everyone(
    phone: Phone, alice: User, bob: User, mallory: User, conversation: Any, picture: Any
) -> None:
    mine = set_mine(phone(alice), picture).json()["data"]
    assert mine["avatar_url"] == picture["thumbnail_url"]
    assert phone(mallory).get(f"/users/{alice.pk}").json()["data"]["avatar_url"] == mine["avatar_url"]
    shown = phone(bob).get(f"/conversations/{conversation.pk}").json()["data"]
    assert shown["avatar_url"] == mine["avatar_url"]
    faces = {each["user"]["username"]: each["user"]["avatar_url"] for each in shown["participants"]}
    assert faces == {"alice": mine["avatar_url"], "bob": None}
    assert download(phone(mallory), mine, "avatar_url").status_code == 200
    assert httpx.get(str(phone(alice).base_url.join(mine["avatar_url"]))).status_code == 401


def test_an_avatar_is_replaced_by_another_and_removed_by_none(phone: Phone, alice: User, picture: Any) -> None:
    other = upload(phone(alice), samples.picture(color="navy"))
    set_mine(phone(alice), picture)
    assert set_mine(phone(alice), picture).status_code == 200
    Attachment.objects.update(created_at=Attachment.objects.first().created_at - LONG_AGO)  # type: ignore[union-attr]
    assert delete_unused_media() == 1
    other = upload(phone(alice), samples.picture(color="navy"))
    assert set_mine(phone(alice), other).json()["data"]["avatar_url"] == other["thumbnail_url"]
    assert phone(alice).get(f"/media/{picture['id']}/thumbnail").status_code == 404
    assert set_mine(phone(alice), None).json()["data"]["avatar_url"] is None
    assert (delete_unused_media(), objects()) == (2, [])


def test_an_avatar_must_be_an_unused_picture_of_the_persons_own(
    phone: Phone, alice: User, bob: User, conversation: Any, group: Any, picture: Any
) -> None:
    file = upload(phone(alice), b"Hello", "a.txt", "text/plain")
    sent = upload(phone(alice), samples.picture())
    send(phone(alice), conversation, sent)
    for app, media in ((phone(alice), file), (phone(alice), sent), (phone(bob), picture)):
        answer = set_mine(app, media)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/avatar_media_id")
    set_mine(phone(alice), picture)
    assert send(phone(alice), conversation, picture).status_code == 422
    assert phone(alice).patch(f"/conversations/{group.pk}", json={"avatar_media_id": picture["id"]}).status_code == 422


def test_a_groups_picture_is_its_members(
    phone: Phone, alice: User, bob: User, mallory: User, group: Any, picture: Any
) -> None:
    body, call = {"avatar_media_id": picture["id"]}, f"/conversations/{group.pk}"
    before = phone(bob).get(call).json()["data"]["version"]
    shown = phone(alice).patch(call, json=body).json()["data"]
    assert (shown["avatar_url"], shown["version"]) == (picture["thumbnail_url"], before + 1)
    way = shown["avatar_url"].removeprefix("/api/v1")
    assert [phone(each).get(way).status_code for each in (alice, bob, mallory)] == [302, 302, 404]
    assert phone(bob).patch(call, json=body).status_code == 403


async def test_the_members_receive_the_new_avatar(app: App, phone: Phone, alice: User, bob: User, group: Any) -> None:
    def change() -> Any:
        body = {"avatar_media_id": upload(phone(alice), samples.picture())["id"]}
        return phone(alice).patch(f"/conversations/{group.pk}", json=body).json()["data"]["avatar_url"]

    async with (await app(bob)).socket() as theirs:
        shown = await sync_to_async(change)()
        assert (await theirs.next("conversation.updated"))["changes"]["avatar_url"] == shown


def test_an_avatar_is_deleted_with_the_account(phone: Phone, alice: User, bob: User, picture: Any) -> None:
    set_mine(phone(alice), picture)
    close_account(by=alice)
    assert phone(bob).get(f"/media/{picture['id']}/thumbnail").status_code == 404
    assert (delete_unused_media(), objects()) == (1, [])
