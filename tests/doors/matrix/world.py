"""The people and conversations that the tables are about, and what an attempt finds there."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.test import Client
from uuid_utils.compat import uuid7

from accounts.auth.sessions import start_session
from accounts.auth.token_rotation import start_tokens
from accounts.auth.tokens import SESSION_KEY, issue_pair
from accounts.models import User
from conversations.contacts.blocks import block, unblock
from conversations.creation import create_group, start_direct
from conversations.groups import add_members, remove_member, set_role
from conversations.invite_links import make_link, revoke_link
from conversations.models import Conversation
from messaging.messages.json import MessageJSON
from messaging.messages.reactions import add_reaction
from messaging.models import Attachment
from tests.doors.matrix.ways import THUMB, Way
from tests.messaging.helpers import hang, say, uploaded

NAME, PAST, NEW = "Secret garden", "Said in the past", "Said to everyone here"
ACTING = "owner admin member blocked newcomer removed stranger one blocker shunned shut_out"
PEOPLE = f"{ACTING} other_admin other_member outsider hermit other"
NOBODY = "anonymous"


class World:
    """A group and two direct conversations, with everyone who has to do with them, or would like to."""

    def __init__(self) -> None:
        self.people = {name: User.objects.create_user(name) for name in PEOPLE.split()}
        self.group = self._group()
        self.direct = start_direct(by=self["one"], to=self["other"])[0]
        say(self["other"], self.direct, NEW)
        self.stopped = start_direct(by=self["blocker"], to=self["shunned"])[0]
        for speaker in ("blocker", "shunned"):
            say(self[speaker], self.stopped, NEW)
        for one, other in (("owner", "blocked"), ("hermit", "owner"), ("blocker", "shunned"), ("one", "shut_out")):
            block(by=self[one], other=self[other])
        self.tokens = {name: self._token(name) for name in ACTING.split()}
        self.cookies = {name: self._cookie(name) for name in ACTING.split()}
        self.refusals: dict[tuple[str, int], Any] = {}
        """The last answer with which a call of someone was refused, by the way."""

    def __getitem__(self, name: str) -> User:
        return self.people[name]

    def _group(self) -> Conversation:
        first = ("admin", "other_admin", "member", "other_member", "blocked", "removed")
        group = create_group(by=self["owner"], name=NAME, participants=[self[name] for name in first])
        for name in ("admin", "other_admin"):
            set_role(by=self["owner"], conversation_id=group.pk, user_id=self[name].pk, role="admin")
        self.old = say(self["other_member"], group, PAST)
        self.old_picture = hang(self["other_member"], group)
        self.left = say(self["removed"], group, "Mine")
        add_reaction(by=self["removed"], message_id=UUID(self.left["id"]), emoji=THUMB)
        remove_member(by=self["owner"], conversation_id=group.pk, user_id=self["removed"].pk)
        add_members(by=self["owner"], conversation_id=group.pk, users=[self["newcomer"]])
        # What is new hangs on what is old, and what is old changes: both must keep it from the newcomer.
        say(self["other_member"], group, NEW, reply_to_id=UUID(self.old["id"]))
        add_reaction(by=self["admin"], message_id=UUID(self.old["id"]), emoji=THUMB)
        return group

    def _token(self, name: str) -> str:
        return issue_pair(start_tokens(session=start_session(user=self[name], name="an app")))["access"]

    def _cookie(self, name: str) -> str:
        browser = Client()
        browser.force_login(self[name])
        kept = browser.session
        kept[SESSION_KEY] = str(start_session(user=self[name], name="a browser").pk)
        kept.save()
        return browser.cookies[settings.SESSION_COOKIE_NAME].value


class Scene:
    """What the words in braces stand for when someone tries something; what is needed is made when it is asked for."""

    inside: ClassVar[frozenset[str]]
    """Who is in."""
    new, past = NEW, PAST

    def __init__(self, world: World, role: str) -> None:
        self.world, self.role = world, role
        self.actor = world["stranger" if role == NOBODY else role]

    def __getitem__(self, word: str) -> str:
        found = getattr(self, word)
        return str(found["id"] if isinstance(found, dict) else getattr(found, "pk", found))

    def prepare(self, way: Way) -> None:
        """Let everything be there that an attempt needs, so that what it changes can be told from it."""
        filled([way.call, way.body, way.fields, way.page, way.form, way.shows], self)

    @property
    def is_in(self) -> bool:
        return self.role in self.inside

    @property
    def hidden(self) -> set[str]:
        """What no answer may show."""
        raise NotImplementedError

    @property
    def conversation(self) -> Conversation:
        raise NotImplementedError

    @property
    def partner(self) -> User:
        """Another one who is in."""
        raise NotImplementedError

    @contextmanager
    def let_in(self) -> Iterator[User]:
        """Let whoever acts say something if they ever could; give who speaks."""
        yield self.actor if self.is_in else self.partner

    @property
    def me(self) -> User:
        return self.actor

    @property
    def member(self) -> User:
        return self.partner

    @property
    def other(self) -> str:
        return self.partner.username

    @property
    def outsider(self) -> User:
        return self.world["outsider"]

    @cached_property
    def own(self) -> MessageJSON:
        with self.let_in() as speaker:
            return say(speaker, self.conversation, "Mine")

    @cached_property
    def others(self) -> MessageJSON:
        with self.let_in():
            return say(self.partner, self.conversation, NEW)

    @cached_property
    def reacted(self) -> MessageJSON:
        with self.let_in() as speaker:
            message = say(self.partner, self.conversation, NEW)
            return add_reaction(by=speaker, message_id=UUID(message["id"]), emoji=THUMB)

    @cached_property
    def picture(self) -> Attachment:
        with self.let_in():
            return hang(self.partner, self.conversation)

    @cached_property
    def upload(self) -> Attachment:
        return uploaded(self.actor)

    @property
    def link(self) -> Any:
        return uuid7()


class InTheGroup(Scene):
    inside = frozenset({"owner", "admin", "member", "blocked", "newcomer"})
    name = NAME

    @property
    def hidden(self) -> set[str]:
        return {PAST} if self.role == "newcomer" else set() if self.is_in else {NAME, PAST, NEW}

    @property
    def conversation(self) -> Conversation:
        return self.world.group

    @property
    def partner(self) -> User:
        return self.world["other_member"]

    @property
    def admin(self) -> User:
        return self.world["other_admin"]

    @property
    def owner(self) -> User:
        return self.world["owner"]

    @cached_property
    def own(self) -> MessageJSON:
        return self.world.left if self.role == "removed" else super().own

    @cached_property
    def reacted(self) -> MessageJSON:
        return self.world.left if self.role == "removed" else super().reacted

    @cached_property
    def old(self) -> MessageJSON:
        return self.world.old if self.role == "newcomer" else say(self.partner, self.conversation, PAST)

    @cached_property
    def old_picture(self) -> Attachment:
        return self.world.old_picture if self.role == "newcomer" else hang(self.partner, self.conversation)

    @cached_property
    def owners(self) -> MessageJSON:
        return say(self.owner, self.conversation)

    @cached_property
    def _made(self) -> Any:
        return make_link(by=self.owner, conversation_id=self.conversation.pk)

    @property
    def link(self) -> Any:
        return self._made[0]

    @property
    def token(self) -> str:
        return self._made[1]

    @cached_property
    def dead_token(self) -> str:
        revoke_link(by=self.owner, conversation_id=self.conversation.pk, link_id=self.link.pk)
        return self.token


class BetweenTwo(Scene):
    inside = frozenset({"one", "blocker", "shunned"})
    PAIRS: ClassVar = {"blocker": "shunned", "shunned": "blocker", "one": "other"}

    @property
    def hidden(self) -> set[str]:
        return set() if self.is_in else {NEW}

    @property
    def conversation(self) -> Conversation:
        return self.world.stopped if self.role in {"blocker", "shunned"} else self.world.direct

    @property
    def partner(self) -> User:
        return self.world[self.PAIRS.get(self.role, "one")]

    @property
    def name(self) -> str:
        return self.partner.username

    @contextmanager
    def let_in(self) -> Iterator[User]:
        if self.conversation != self.world.stopped:
            with super().let_in() as speaker:
                yield speaker
            return
        blocker, shunned = self.world["blocker"], self.world["shunned"]
        unblock(by=blocker, other_id=shunned.pk)
        yield self.actor
        block(by=blocker, other=shunned)


SCENES: dict[str, type[Scene]] = {"in a group": InTheGroup, "between two": BetweenTwo}


class Nothing:
    """The same words, with ids and tokens of which there are none."""

    PEOPLE = frozenset({"me", "member", "admin", "owner", "outsider", "other", "name", "new", "past"})

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def __getitem__(self, word: str) -> str:
        return self.scene[word] if word in self.PEOPLE else str(uuid7())


Words = Scene | Nothing


def filled(what: Any, words: Words) -> Any:
    """Put what it stands for in the place of every word in braces."""
    if isinstance(what, str):
        return what.format_map(words)
    if isinstance(what, dict):
        return {name: filled(value, words) for name, value in what.items()}
    return [filled(each, words) for each in what] if isinstance(what, list) else what
