"""What someone may not see is nowhere: at every door of the tables, for each reason why a message can be hidden.

A member of a group tries everything about messages that are there, but that they may not see: those of others, their
own from before, and pictures. A new action has to say here what it shows of messages.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from conversations.groups import add_members, remove_member
from conversations.models import Conversation, Participant
from messaging.messages.reactions import add_reaction
from messaging.models import Message
from tests.doors.matrix.doors import Answer, Door, by_call, by_page
from tests.doors.matrix.test_calls_and_pages import undone
from tests.doors.matrix.ways import WAYS
from tests.doors.matrix.world import NEW, PAST, InTheGroup, World

DOORS: dict[str, Door] = {"call": by_call, "page": by_page}
READER = "member"
MINE, EMOJI = "Mine", "\U0001f984"
"""What the reader has said themselves, and what another one has reacted to it."""
Hide = Callable[[InTheGroup], None]

# `refuse`: there is no such message. `own`: likewise for one's own, but who reads only what is addressed to them still
# reads what they said. `show`: the answer is about more than one message, and has none of what is hidden. `repeat`: the
# answer to a send says what was sent, and nothing that came of it since. `none`: it is about no message, or only about
# new ones.
SHOWN = {
    "read the conversation": "show",
    "read who is in": "none",
    "read what was said": "show",
    "read by the person": "none",
    "read what changed": "show",
    "read a message": "refuse",
    "read an old message": "refuse",
    "get a picture": "refuse",
    "get a thumbnail": "refuse",
    "get an old picture": "refuse",
    "send my picture": "none",
    "send on": "refuse",
    "look where to send on": "refuse",
    "read the inbox": "show",
    "read the archive": "show",
    "see who has it open": "none",
    "catch up": "show",
    "mark as delivered": "none",
    "mark as read": "none",
    "see the status of my own": "own",
    "see the status of another's": "refuse",
    "settle my place": "show",
    "say that I type": "none",
    "say that I stop": "none",
    "open it": "none",
    "close it": "none",
    "begin": "none",
    "write to the person": "none",
    "send": "none",
    "send once more": "repeat",
    "send a form twice": "repeat",
    "reply": "refuse",
    "quote an old message": "refuse",
    "reply on an old page": "refuse",
    "edit my own": "own",
    "edit another's": "refuse",
    "edit an old message": "refuse",
    "delete my own": "own",
    "delete another's": "refuse",
    "delete the owner's": "refuse",
    "delete an old message": "refuse",
    "report another's": "refuse",
    "report my own": "own",
    "report an old one": "refuse",
    "look at the report form": "refuse",
    "react": "refuse",
    "react to an old one": "refuse",
    "take a reaction back": "refuse",
    "rename": "none",
    "share the history": "none",
    "add someone": "none",
    "add a member": "none",
    "add an owner's foe": "none",
    "promote a member": "none",
    "promote an admin": "none",
    "promote myself": "none",
    "demote an admin": "none",
    "demote the owner": "none",
    "promote an outsider": "none",
    "remove a member": "none",
    "remove an admin": "none",
    "remove the owner": "none",
    "remove myself": "none",
    "remove an outsider": "none",
    "transfer": "none",
    "leave": "none",
    "delete the group": "none",
    "list the links": "none",
    "make a link": "none",
    "revoke a link": "none",
    "look at a link": "none",
    "look at a dead link": "none",
    "come by a link": "none",
    "come by a dead link": "none",
    "join on a dead page": "none",
}


def expire(scene: InTheGroup) -> None:
    group = scene.conversation
    newest = Message.objects.filter(conversation=group).latest("position").position
    Conversation.objects.filter(pk=group.pk).update(min_position=newest)


def grow_old(scene: InTheGroup) -> None:
    past = timezone.now() - timedelta(days=settings.RETENTION_DAYS, seconds=1)
    Message.objects.filter(conversation=scene.conversation).update(created_at=past)


def address_others(scene: InTheGroup) -> None:
    Message.objects.filter(conversation=scene.conversation).update(addressed=[scene.world["other_admin"].pk])
    Participant.objects.filter(conversation=scene.conversation, user=scene.actor).update(reads="addressed")


def come_again(scene: InTheGroup) -> None:
    group, owner = scene.conversation.pk, scene.world["owner"]
    remove_member(by=owner, conversation_id=group, user_id=scene.actor.pk)
    add_members(by=owner, conversation_id=group, users=[scene.actor])


REASONS: list[Hide] = [expire, grow_old, address_others, come_again]


def test_every_action_says_what_it_shows() -> None:
    assert SHOWN.keys() == WAYS.keys()


@pytest.mark.parametrize("hide", REASONS)
@pytest.mark.parametrize("door", DOORS)
def test_what_is_hidden_is_nowhere(world: World, door: str, hide: Hide) -> None:
    answers = dict(_answers(world, door, hide))
    wrong = {
        action: (answer.word, answer.said[:300])
        for action, answer in answers.items()
        if not _is_right(SHOWN[action], answer, shows_own=hide is address_others)
    }
    assert not wrong
    assert len(answers) > 20


def _answers(world: World, door: str, hide: Hide) -> Iterator[tuple[str, Answer]]:
    """Let the reader try every action about messages, each apart from the others, after they were hidden."""
    actions = [action for action, shows in SHOWN.items() if shows != "none" and WAYS[action].at(door)]
    with undone():
        scene = InTheGroup(world, READER)
        for action in actions:
            scene.prepare(WAYS[action])
        add_reaction(by=scene.partner, message_id=UUID(scene.own["id"]), emoji=EMOJI)
        hide(scene)
        for action in actions:
            with undone():
                yield action, DOORS[door](world, READER, WAYS[action], scene)


def _is_right(shows: str, answer: Answer, *, shows_own: bool) -> bool:
    hidden = {NEW, PAST} if shows_own else {NEW, PAST, EMOJI} | ({MINE} if shows == "show" else set())
    if any(words in answer.said for words in hidden):
        return False
    if shows in {"show", "repeat"}:
        return answer.word == "ok"
    if shows == "own" and shows_own:
        return answer.word != "not_found"
    return answer.word in {"not_found", "unprocessable"}
