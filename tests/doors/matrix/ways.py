"""How each action of the tables is done at every door that leads to it. Words in braces are filled in."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

THUMB = "\U0001f44d"
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A call, a frame and a form that do the same; a door that is left out does not lead there."""

    call: str = ""
    body: Fields | None = None
    frame: str = ""
    fields: Fields = field(default_factory=dict)
    page: str = ""
    form: Fields = field(default_factory=dict)
    writes: str = ""
    """The models of which something changes, at least."""
    shows: str = ""
    """What an answer shows to those who are in."""
    introduces: bool = False
    """Whether it tells outsiders what the group is called."""

    def at(self, *doors: str) -> list[str]:
        """Those of some doors that lead there."""
        return [door for door in doors if getattr(self, door)]


CONVERSATION = "conversations/{conversation}"
ABOUT = {"details-name": "{name}", "details-history": "joined"}
SAID = "message conversation"
MEMBERS = "conversation participant message user"


def editing(which: str) -> Way:
    text = "Worded anew"
    return Way(
        call=f"PATCH messages/{which}",
        body={"text": text},
        frame="message.edit",
        fields={"message_id": which, "text": text},
        page=f"POST messages/{which}/edit",
        form={"edit-text": text},
        writes=SAID,
    )


def deleting(which: str) -> Way:
    return Way(
        call=f"DELETE messages/{which}",
        frame="message.delete",
        fields={"message_id": which},
        page=f"POST messages/{which}/delete",
        writes=SAID,
    )


def reacting(which: str, *, back: bool = False) -> Way:
    return Way(
        call=f"{'DELETE' if back else 'PUT'} messages/{which}/reactions/{quote(THUMB)}",
        frame="reaction.remove" if back else "reaction.add",
        fields={"message_id": which, "emoji": THUMB},
        page=f"POST messages/{which}/react",
        form={"emoji": THUMB},
        writes="reaction message conversation",
    )


def adding(who: str) -> Way:
    return Way(
        call=f"POST {CONVERSATION}/participants",
        body={"users": [{"username": who}]},
        page=f"POST {CONVERSATION}/people",
        form={"add-people": who},
        writes=MEMBERS,
    )


def ranking(who: str, role: str) -> Way:
    return Way(
        call=f"PATCH {CONVERSATION}/participants/{who}",
        body={"role": role},
        page=f"POST {CONVERSATION}/people/{who}/role",
        form={"role": role},
        writes="conversation participant",
    )


def removing(who: str) -> Way:
    return Way(
        call=f"DELETE {CONVERSATION}/participants/{who}",
        page=f"POST {CONVERSATION}/people/{who}/remove",
        writes=f"{MEMBERS} departure",
    )


def saying(text: str, **fields: Any) -> Fields:
    return {"conversation_id": "{conversation}", "text": text, **fields}


def reporting(which: str) -> Way:
    return Way(
        call="POST reports",
        body={"message_id": which, "reason": "spam"},
        page=f"POST messages/{which}/report",
        form={"reason": "spam"},
        writes="report",
    )


WAYS = {
    "read the conversation": Way(call=f"GET {CONVERSATION}", page=f"GET {CONVERSATION}/info", shows="{name}"),
    "read who is in": Way(call=f"GET {CONVERSATION}/participants", shows="{other}"),
    "read what was said": Way(
        call="GET messages/conversation/{conversation}?after=0&limit=100", page=f"GET {CONVERSATION}", shows="{new}"
    ),
    "read by the person": Way(call="GET messages/friend/{partner}", shows="{new}"),
    "read what changed": Way(call=f"GET {CONVERSATION}/changes?after=0&limit=100", shows="{new}"),
    "read a message": Way(call="GET messages/{others}", page="GET messages/{others}", shows="{new}"),
    "read an old message": Way(call="GET messages/{old}", page="GET messages/{old}", shows="{past}"),
    "get a picture": Way(call="GET media/{picture}"),
    "get a thumbnail": Way(call="GET media/{picture}/thumbnail"),
    "get an old picture": Way(call="GET media/{old_picture}"),
    "send my picture": Way(
        call="POST messages",
        body={"conversation_id": "{conversation}", "media": ["{upload}"]},
        frame="message.send",
        fields={"conversation_id": "{conversation}", "media": ["{upload}"]},
        writes=f"{SAID} attachment",
    ),
    "send on": Way(
        call="POST messages",
        body={"conversation_id": "{conversation}", "forward_of_id": "{others}"},
        page="POST messages/{others}/forward",
        form={"to": "{conversation}"},
        writes=SAID,
    ),
    "look where to send on": Way(page="GET messages/{others}/forward", shows="{new}"),
    "read the inbox": Way(call="GET conversations", page="GET ", shows="{name}"),
    "read the archive": Way(call="GET conversations?archived=true", page="GET archived"),
    "see who has it open": Way(call="GET ws/conversations/{conversation}/participants"),
    "catch up": Way(call="GET sync", shows="{name}"),
    "mark as delivered": Way(
        call=f"POST {CONVERSATION}/delivered",
        body={"through": 10**6},
        frame="delivered",
        fields={"conversation_id": "{conversation}", "through": 10**6},
        writes="participant",
    ),
    "see the status of my own": Way(call="GET messages/{own}/status", shows="{partner}"),
    "see the status of another's": Way(call="GET messages/{others}/status"),
    "mark as read": Way(
        call=f"POST {CONVERSATION}/read",
        body={"through": 10**6},
        frame="read",
        fields={"conversation_id": "{conversation}", "through": 10**6},
        page=f"POST {CONVERSATION}",
        form={"act": "read", "read_through": 10**6},
        writes="participant user",
    ),
    "say that I type": Way(frame="typing", fields={"conversation_id": "{conversation}", "state": "start"}),
    "say that I stop": Way(frame="typing", fields={"conversation_id": "{conversation}", "state": "stop"}),
    "open it": Way(frame="conversation.open", fields={"conversation_id": "{conversation}"}),
    "close it": Way(frame="conversation.close", fields={"conversation_id": "{conversation}"}),
    "settle my place": Way(
        call=f"PATCH {CONVERSATION}/me",
        body={"pinned": True},
        page=f"POST {CONVERSATION}/me",
        form={"pinned": "true"},
        writes="participant user",
    ),
    "begin": Way(
        call="POST conversations",
        body={"kind": "direct", "to": {"id": "{partner}"}},
        page="POST conversations/new",
        form={"kind": "direct", "direct-username": "{other}"},
        writes="conversation participant user",
    ),
    "write to the person": Way(
        call="POST messages",
        body={"receiver_id": "{partner}", "text": "Hello"},
        frame="message.send",
        fields={"to": {"id": "{partner}"}, "text": "Hello"},
        writes=SAID,
    ),
    "send": Way(
        call="POST messages",
        body=saying("Hello"),
        frame="message.send",
        fields=saying("Hello"),
        page=f"POST {CONVERSATION}",
        form={"text": "Hello"},
        writes=SAID,
    ),
    "send once more": Way(
        call="POST messages",
        body=saying("Mine", id="{own}"),
        frame="message.send",
        fields=saying("Mine", id="{own}"),
        writes=SAID,
    ),
    "send a form twice": Way(page=f"POST {CONVERSATION}", form={"text": "Mine", "id": "{own}"}, writes=SAID),
    "reply": Way(
        call="POST messages",
        body=saying("Oh", reply_to_id="{others}"),
        frame="message.send",
        fields=saying("Oh", reply_to_id="{others}"),
        page="POST messages/{others}/reply",
        form={"text": "Oh"},
        writes=SAID,
    ),
    "quote an old message": Way(
        call="POST messages",
        body=saying("Oh", reply_to_id="{old}"),
        frame="message.send",
        fields=saying("Oh", reply_to_id="{old}"),
        writes=SAID,
    ),
    "reply on an old page": Way(page="POST messages/{old}/reply", form={"text": "Oh"}, writes=SAID),
    "edit my own": editing("{own}"),
    "edit another's": editing("{others}"),
    "edit an old message": editing("{old}"),
    "delete my own": deleting("{own}"),
    "delete another's": deleting("{others}"),
    "delete the owner's": deleting("{owners}"),
    "delete an old message": deleting("{old}"),
    "report another's": reporting("{others}"),
    "report my own": reporting("{own}"),
    "report an old one": reporting("{old}"),
    "look at the report form": Way(page="GET messages/{others}/report", shows="{new}"),
    "react": reacting("{others}"),
    "react to an old one": reacting("{old}"),
    "take a reaction back": reacting("{reacted}", back=True),
    "rename": Way(
        call=f"PATCH {CONVERSATION}",
        body={"name": "Orchard"},
        page=f"POST {CONVERSATION}/details",
        form={**ABOUT, "details-name": "Orchard"},
        writes=SAID,
    ),
    "share the history": Way(
        call=f"PATCH {CONVERSATION}",
        body={"history": "shared"},
        page=f"POST {CONVERSATION}/details",
        form={**ABOUT, "details-history": "shared"},
        writes="conversation",
    ),
    "add someone": adding("outsider"),
    "add a member": adding("other_member"),
    "add an owner's foe": adding("hermit"),
    "promote a member": ranking("{member}", "admin"),
    "promote an admin": ranking("{admin}", "admin"),
    "promote myself": ranking("{me}", "admin"),
    "demote an admin": ranking("{admin}", "member"),
    "demote the owner": ranking("{owner}", "member"),
    "promote an outsider": ranking("{outsider}", "admin"),
    "remove a member": removing("{member}"),
    "remove an admin": removing("{admin}"),
    "remove the owner": removing("{owner}"),
    "remove myself": removing("{me}"),
    "remove an outsider": removing("{outsider}"),
    "transfer": Way(
        call=f"POST {CONVERSATION}/transfer",
        body={"to": {"id": "{member}"}},
        page=f"POST {CONVERSATION}/transfer",
        form={"transfer-to": "{member}"},
        writes="conversation participant message",
    ),
    "leave": Way(call=f"POST {CONVERSATION}/leave", page=f"POST {CONVERSATION}/leave", writes=f"{MEMBERS} departure"),
    "delete the group": Way(
        call=f"DELETE {CONVERSATION}", page=f"POST {CONVERSATION}/delete", writes="conversation participant departure"
    ),
    "list the links": Way(call=f"GET {CONVERSATION}/invite-links"),
    "make a link": Way(
        call=f"POST {CONVERSATION}/invite-links",
        body={},
        page=f"POST {CONVERSATION}/links",
        form={"link-lasts": "3600"},
        writes="invitelink",
    ),
    "revoke a link": Way(
        call=f"DELETE {CONVERSATION}/invite-links/{{link}}",
        page=f"POST {CONVERSATION}/links/{{link}}/revoke",
        writes="invitelink",
    ),
    "look at a link": Way(page="GET join/{token}", introduces=True),
    "look at a dead link": Way(page="GET join/{dead_token}"),
    "come by a link": Way(
        call="POST invite-links/{token}/accept",
        page="POST join/{token}",
        writes=f"{MEMBERS} invitelink",
        introduces=True,
    ),
    "come by a dead link": Way(call="POST invite-links/{dead_token}/accept", writes=f"{MEMBERS} invitelink"),
    "join on a dead page": Way(page="POST join/{dead_token}", writes=f"{MEMBERS} invitelink"),
}
