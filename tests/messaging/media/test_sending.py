"""Media in messages: attached to one message, through every door, and downloaded by its readers alone."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from asgiref.sync import sync_to_async
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.groups import add_members, remove_member
from messaging.models import Attachment
from tests.messaging.media.conftest import begin, download, send, upload
from tests.support import samples
from tests.support.client import Client

Phone = Callable[[User], httpx.Client]
App = Callable[[User], Awaitable[Client]]


def test_a_message_contains_the_uploaded_media(
    phone: Phone, alice: User, bob: User, conversation: Any, picture: Any
) -> None:
    file = upload(phone(alice), b"Hi", "a.txt", "text/plain")
    sent = send(phone(alice), conversation, picture, file, text="Look")
    assert sent.status_code == 201
    message = sent.json()["data"]
    assert (message["kind"], message["text"], message["media"]) == ("file", "Look", [picture, file])
    for path in (f"/messages/{message['id']}", f"/messages/conversation/{conversation.pk}"):
        shown = phone(bob).get(path).json()["data"]
        assert (shown[0] if isinstance(shown, list) else shown)["media"] == [picture, file]
    changes = phone(bob).get(f"/conversations/{conversation.pk}/changes", params={"after": 0}).json()["data"]
    assert changes["messages"][0]["media"] == [picture, file]
    assert download(phone(bob), file).content == b"Hi"


def test_a_picture_needs_no_text_and_gives_the_message_its_kind(
    phone: Phone, alice: User, conversation: Any, picture: Any
) -> None:
    message = send(phone(alice), conversation, picture).json()["data"]
    assert (message["kind"], message["text"]) == ("image", "")


def test_a_repeated_send_is_the_same_message(phone: Phone, alice: User, conversation: Any, picture: Any) -> None:
    id, other = str(uuid7()), upload(phone(alice), samples.picture())
    first = send(phone(alice), conversation, picture, id=id)
    again = send(phone(alice), conversation, picture, id=id)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert send(phone(alice), conversation, other, id=id).json()["code"] == "id_conflict"
    assert send(phone(alice), conversation, id=id, text="x").json()["code"] == "id_conflict"


def test_media_belongs_to_one_message_alone(phone: Phone, alice: User, conversation: Any, picture: Any) -> None:
    send(phone(alice), conversation, picture)
    answer = send(phone(alice), conversation, picture)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/media")
    assert phone(alice).get(f"/conversations/{conversation.pk}").json()["data"]["version"] == 1


def test_only_media_that_is_ready_and_the_senders_own_is_sent(
    phone: Phone, alice: User, bob: User, conversation: Any, picture: Any
) -> None:
    waiting = begin(phone(alice), b"x", "a.png", "image/png").json()["data"]["media"]
    for sender, media in (
        (alice, [waiting]),
        (bob, [picture]),
        (alice, [picture, picture]),
        (alice, [picture, waiting]),
    ):
        assert send(phone(sender), conversation, *media).status_code == 422
    assert send(phone(alice), conversation, {"id": str(uuid7())}).status_code == 422
    assert send(phone(alice), conversation, picture, kind="video").json()["errors"][0]["pointer"] == "/kind"
    assert send(phone(alice), conversation, *[picture] * 11).status_code == 400
    assert send(phone(alice), conversation, picture, kind="image").status_code == 201


async def test_media_is_sent_and_received_over_the_socket(
    app: App, alice: User, bob: User, conversation: Any, phone: Phone
) -> None:
    picture = await sync_to_async(lambda: upload(phone(alice), samples.picture()))()
    async with (await app(alice)).socket() as mine, (await app(bob)).socket() as theirs:
        id = str(uuid7())
        fields = {"id": id, "conversation_id": str(conversation.pk), "media": [picture["id"]]}
        first, again = await mine.ask("message.send", **fields), await mine.ask("message.send", **fields)
        assert first["data"] == again["data"]
        assert first["data"]["media"] == [picture]
        assert (await theirs.next("message.created"))["message"] == first["data"]
        to = {"to": {"username": "bob"}, "media": [picture["id"]]}
        assert (await mine.ask("message.send", **to))["data"]["code"] == "unprocessable"


async def test_a_message_that_nobody_received_is_reconciled_with_its_media(
    app: App, alice: User, bob: User, conversation: Any, phone: Phone
) -> None:
    picture = await sync_to_async(lambda: upload(phone(alice), samples.picture()))()
    await sync_to_async(lambda: send(phone(alice), conversation, picture))()
    async with (await app(bob)).socket(query="?catch_up=1") as theirs:
        assert (await theirs.next("message.created"))["message"]["media"] == [picture]


# Who can download media


def test_only_members_can_download_media(
    phone: Phone, alice: User, bob: User, mallory: User, conversation: Any, picture: Any
) -> None:
    send(phone(alice), conversation, picture)
    way = picture["url"].removeprefix("/api/v1")
    assert [phone(each).get(way).status_code for each in (alice, bob, mallory)] == [302, 302, 404]
    assert [phone(each).get(f"{way}/thumbnail").status_code for each in (alice, bob, mallory)] == [302, 302, 404]
    assert phone(bob).get(way).headers["Cache-Control"] == "no-store"


def test_newcomers_and_removed_members_get_no_media(
    phone: Phone, alice: User, bob: User, mallory: User, group: Any, picture: Any
) -> None:
    send(phone(alice), group, picture)
    way = picture["url"].removeprefix("/api/v1")
    add_members(by=alice, conversation_id=group.pk, users=[mallory])
    assert [phone(each).get(way).status_code for each in (bob, mallory)] == [302, 404]
    remove_member(by=alice, conversation_id=group.pk, user_id=bob.pk)
    assert phone(bob).get(way).status_code == 404


def test_the_media_of_a_deleted_message_is_gone_for_everyone(
    phone: Phone, alice: User, bob: User, conversation: Any, picture: Any
) -> None:
    message = send(phone(alice), conversation, picture).json()["data"]
    phone(alice).delete(f"/messages/{message['id']}")
    shown = phone(bob).get(f"/messages/{message['id']}").json()["data"]
    assert (shown["media"], shown["kind"]) == ([], "image")
    way = picture["url"].removeprefix("/api/v1")
    assert [phone(each).get(way).status_code for each in (alice, bob)] == [404, 404]
    assert send(phone(alice), conversation, picture, id=message["id"]).status_code == 200
    assert Attachment.objects.get().gone_at


def test_a_caption_is_edited_and_may_go(phone: Phone, alice: User, conversation: Any, picture: Any) -> None:
    message = send(phone(alice), conversation, picture, text="Look").json()["data"]
    edited = phone(alice).patch(f"/messages/{message['id']}", json={"text": ""}).json()["data"]
    assert (edited["text"], edited["media"], bool(edited["edited_at"])) == ("", [picture], True)


def test_a_link_tells_the_name_in_any_script(phone: Phone, alice: User) -> None:
    media = upload(phone(alice), b"Hi", 'Grüße "1".txt', "text/plain")
    shown = download(phone(alice), media).headers["Content-Disposition"]
    assert shown == "attachment; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%221%22.txt"
