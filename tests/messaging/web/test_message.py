"""Messages on pages, and the page of a single message for browsers without scripts."""

from uuid import UUID

import pytest

from accounts.models import User
from chatproject.core.ids import uuid7
from conversations.creation import create_group
from conversations.groups import add_members, leave, remove_member, update_group
from conversations.models import Conversation
from conversations.personal_settings import update_settings
from messaging.messages.edit import delete_message
from messaging.messages.reactions import add_reaction
from messaging.models import Message, Reaction
from messaging.receipts.commands import mark_delivered, mark_read
from messaging.sync.history import get_message
from tests.accounts.visitor import Visitor, here, words
from tests.messaging.helpers import place, say


@pytest.fixture
def said(bob: User, group: Conversation) -> UUID:
    """The id of Bob's message in the group."""
    return UUID(say(bob, group, "Who waters the beans?")["id"])


def talk(conversation: Conversation) -> str:
    return f"/conversations/{conversation.pk}"


def test_a_message_has_a_page_with_what_may_be_done(alice: User, bob: User, carol: User, said: UUID) -> None:
    for person, offers in {
        alice: ["React", "Reply", "Delete this message"],
        bob: ["React", "Reply", "Edit", "Delete this message"],
        carol: ["React", "Reply"],
    }.items():
        page = Visitor(person).get(f"/messages/{said}").content.decode()
        found = [offer for offer in ("React", "Reply", "Edit", "Delete this message") if f">{offer}</" in page]
        assert found == offers


def test_a_stranger_finds_no_message(mallory: User, said: UUID) -> None:
    visitor = Visitor(mallory)
    assert visitor.get(f"/messages/{said}").status_code == 404
    for act in ("react", "reply", "edit", "delete"):
        assert visitor.post(f"/messages/{said}/{act}", emoji="👍", text="x").status_code == 404


def test_a_reaction_is_added_and_removed(carol: User, said: UUID) -> None:
    visitor = Visitor(carol)
    assert "👍 1" in words(visitor.submit(f"/messages/{said}", f"/messages/{said}/react", emoji="👍"))
    assert "👍 1" not in words(visitor.submit(f"/messages/{said}", f"/messages/{said}/react", emoji="👍"))
    assert "This is not a single emoji." in words(visitor.post(f"/messages/{said}/react", emoji="x"))


def test_a_reaction_among_a_great_many_is_removed_too(carol: User, said: UUID) -> None:
    conversation_id = Message.objects.get(pk=said).conversation_id
    here = {"message_id": said, "conversation_id": conversation_id, "emoji": "👍"}
    Reaction.objects.bulk_create([Reaction(user_id=uuid7(), **here) for _ in range(101)])
    visitor = Visitor(carol)
    assert "👍 102" in words(visitor.submit(f"/messages/{said}", f"/messages/{said}/react", emoji="👍"))
    assert "👍 101" in words(visitor.submit(f"/messages/{said}", f"/messages/{said}/react", emoji="👍"))


def test_a_reaction_names_who_gave_it(alice: User, bob: User, carol: User, group: Conversation, said: UUID) -> None:
    for person in (carol, alice):
        add_reaction(by=person, message_id=said, emoji="🎉")
    assert 'aria-label="🎉 2: You and Carol"' in Visitor(alice).get(talk(group)).content.decode()
    assert 'aria-label="🎉 2: Carol and Alice"' in Visitor(bob).get(talk(group)).content.decode()


def test_a_reply_quotes_its_message(carol: User, group: Conversation, said: UUID) -> None:
    answer = Visitor(carol).submit(f"/messages/{said}", f"/messages/{said}/reply", text="I do")
    assert here(answer) == talk(group)
    assert "Bob Who waters the beans? I do" in words(answer)


def test_a_quote_that_someone_may_not_see_is_shown_as_unavailable(
    alice: User, mallory: User, group: Conversation, said: UUID
) -> None:
    add_members(by=alice, conversation_id=group.pk, users=[mallory])
    say(alice, group, "I do", reply_to_id=said)
    page = words(Visitor(mallory).get(talk(group)))
    assert "Message not available I do" in page
    assert "beans" not in page


def test_a_message_is_edited(bob: User, group: Conversation, said: UUID) -> None:
    answer = Visitor(bob).submit(f"/messages/{said}", f"/messages/{said}/edit", **{"edit-text": "Who\r\nwaters?"})
    assert here(answer) == talk(group)
    assert get_message(by=bob, message_id=said)["text"] == "Who\nwaters?"
    assert Visitor(bob).submit(f"/messages/{said}", f"/messages/{said}/edit", **{"edit-text": " "}).status_code == 400


def test_a_message_is_deleted_for_everyone(bob: User, carol: User, group: Conversation, said: UUID) -> None:
    assert "Only its sender" in words(Visitor(carol).post(f"/messages/{said}/delete"))
    answer = Visitor(bob).submit(f"/messages/{said}", f"/messages/{said}/delete")
    assert "This message was deleted." in words(answer)
    assert "beans" not in words(answer)


def test_a_mention_is_marked_in_the_list_and_in_the_message(bob: User, carol: User, group: Conversation) -> None:
    say(bob, group, "@carol, the beans!")
    page = Visitor(carol).get(talk(group)).content.decode()
    assert "message--meant" in page
    assert "@ you are mentioned 1 unread" in words(Visitor(carol).get("/"))
    assert "message--meant" not in Visitor(bob).get(talk(group)).content.decode()


def test_notices_are_worded_for_their_reader(alice: User, bob: User, carol: User) -> None:
    group = create_group(by=alice, name="Garden", participants=[carol])
    add_members(by=alice, conversation_id=group.pk, users=[bob])
    update_group(by=alice, conversation_id=group.pk, name="{who}")
    remove_member(by=alice, conversation_id=group.pk, user_id=carol.pk)
    leave(by=bob, conversation_id=group.pk)
    page = words(Visitor(alice).get(talk(group)))
    for sentence in (
        "You made the group “Garden”.", "You added Bob.", "You named the group “{who}”.", "You removed Carol.",
        "Bob left.",
    ):  # fmt: skip
        assert sentence in page
    assert "Alice added you." not in page


def test_notices_come_in_the_readers_language(bob: User, group: Conversation) -> None:
    page = Visitor(bob).client.get(talk(group), headers={"Accept-Language": "de"}).content.decode()
    assert "Alice hat die Gruppe „Garden“ gegründet." in page


def test_rows_show_drafts_and_deleted_messages(alice: User, bob: User, group: Conversation, said: UUID) -> None:
    update_settings(by=alice, conversation_id=group.pk, draft="I will")
    delete_message(by=bob, message_id=said)
    assert "Draft: I will" in words(Visitor(alice).get("/"))
    assert "Message deleted" in words(Visitor(bob).get("/"))


def test_a_draft_is_in_the_composer_until_it_is_sent(alice: User, group: Conversation) -> None:
    update_settings(by=alice, conversation_id=group.pk, draft="I will")
    visitor = Visitor(alice)
    assert ">\nI will</textarea>" in visitor.get(talk(group)).content.decode()
    visitor.submit(talk(group), text="I will do it")
    assert place(alice, group).draft is None
    assert Message.objects.filter(conversation=group, kind="text").count() == 1


def test_pinned_rows_come_first_and_muted_ones_are_marked(alice: User, group: Conversation) -> None:
    other = create_group(by=alice, name="Choir")
    update_settings(by=alice, conversation_id=group.pk, pinned=True)
    page = words(Visitor(alice).get("/"))
    assert page.index("Garden") < page.index("Choir")
    assert "Garden muted pinned" in page
    assert other.name in page


def test_the_page_of_ones_own_message_says_who_has_read_it(
    group: Conversation, alice: User, bob: User, carol: User, said: UUID
) -> None:
    at = Message.objects.get(pk=said).position
    mark_read(by=alice, conversation_id=group.pk, through=at)
    mark_delivered(by=carol, conversation_id=group.pk, through=at)
    told = words(Visitor(bob).get(f"/messages/{said}"))
    assert [told.index(each) for each in ("Who has it", "Alice Read", "Carol Delivered")] == sorted(
        told.index(each) for each in ("Who has it", "Alice Read", "Carol Delivered")
    )
    assert "Who has it" not in words(Visitor(alice).get(f"/messages/{said}"))
    delete_message(by=bob, message_id=said)
    assert "Who has it" not in words(Visitor(bob).get(f"/messages/{said}"))


@pytest.mark.parametrize(
    ("through", "looks"), [((0, 0), ""), ((1, 0), "message--delivered"), ((1, 1), "message--read")]
)
def test_a_page_shows_whether_a_message_was_delivered_or_read(
    through: tuple[int, int], looks: str, conversation: Conversation, alice: User, bob: User
) -> None:
    say(alice, conversation)
    mark_delivered(by=bob, conversation_id=conversation.pk, through=through[0])
    mark_read(by=bob, conversation_id=conversation.pk, through=through[1])
    page = Visitor(alice).get(talk(conversation)).content.decode()
    article = page[page.index("<article") : page.index("data-id")]
    assert [each for each in ("message--delivered", "message--read") if each in article] == ([looks] if looks else [])
