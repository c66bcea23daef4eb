"""Who may do what, in the words of the contract; `ways` holds how each of these is done.

`ok` is allowed, `idle` is answered as if it were done although there is nothing to do, `sign_in` stands for
`not_authenticated`, `refused` for a page's no where no call gives its code. Everything else is the code of the refusal.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.doors.matrix.ways import WAYS

Row = Mapping[str, str]
Case = tuple[str, str, Row]

# `blocked` is a member whom the owner has blocked, `newcomer` came when something had been said, `removed` was a
# member, `stranger` never was one.
IN_A_GROUP = """
                      owner       admin       member      blocked     newcomer    removed     stranger    anonymous
read the conversation ok          ok          ok          ok          ok          not_found   not_found   sign_in
read who is in        ok          ok          ok          ok          ok          not_found   not_found   sign_in
read what was said    ok          ok          ok          ok          ok          not_found   not_found   sign_in
read what changed     ok          ok          ok          ok          ok          not_found   not_found   sign_in
read a message        ok          ok          ok          ok          ok          not_found   not_found   sign_in
read an old message   ok          ok          ok          ok          not_found   not_found   not_found   sign_in
get a picture         ok          ok          ok          ok          ok          not_found   not_found   sign_in
get a thumbnail       ok          ok          ok          ok          ok          not_found   not_found   sign_in
get an old picture    ok          ok          ok          ok          not_found   not_found   not_found   sign_in
send my picture       ok          ok          ok          ok          ok          not_found   not_found   sign_in
send on               ok          ok          ok          ok          ok          not_found   not_found   sign_in
look where to send on ok          ok          ok          ok          ok          not_found   not_found   sign_in
read the inbox        ok          ok          ok          ok          ok          ok          ok          sign_in
read the archive      ok          ok          ok          ok          ok          ok          ok          sign_in
see who has it open   ok          ok          ok          ok          ok          not_found   not_found   sign_in
catch up              ok          ok          ok          ok          ok          ok          ok          sign_in
mark as delivered     ok          ok          ok          ok          ok          not_found   not_found   sign_in
mark as read          ok          ok          ok          ok          ok          not_found   not_found   sign_in
see the status of my own ok       ok          ok          ok          ok          not_found   not_found   sign_in
see the status of another's not_allowed not_allowed not_allowed not_allowed not_allowed not_found not_found sign_in
settle my place       ok          ok          ok          ok          ok          not_found   not_found   sign_in
say that I type       ok          ok          ok          ok          ok          not_found   not_found   sign_in
say that I stop       ok          ok          ok          ok          ok          not_found   not_found   sign_in
open it               ok          ok          ok          ok          ok          not_found   not_found   sign_in
close it              ok          ok          ok          ok          ok          not_found   not_found   sign_in
send                  ok          ok          ok          ok          ok          not_found   not_found   sign_in
send once more        idle        idle        idle        idle        idle        idle        id_conflict sign_in
send a form twice     idle        idle        idle        idle        idle        not_found   not_found   sign_in
reply                 ok          ok          ok          ok          ok          not_found   not_found   sign_in
quote an old message  ok          ok          ok          ok       unprocessable  not_found   not_found   sign_in
reply on an old page  ok          ok          ok          ok          not_found   not_found   not_found   sign_in
edit my own           ok          ok          ok          ok          ok          not_found   not_found   sign_in
edit another's        not_allowed not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
edit an old message   not_allowed not_allowed not_allowed not_allowed not_found   not_found   not_found   sign_in
delete my own         ok          ok          ok          ok          ok          not_found   not_found   sign_in
delete another's      ok          ok          not_allowed not_allowed not_allowed not_found   not_found   sign_in
delete the owner's    ok          ok          not_allowed not_allowed not_allowed not_found   not_found   sign_in
delete an old message ok          ok          not_allowed not_allowed not_found   not_found   not_found   sign_in
report another's      ok          ok          ok          ok          ok          not_found   not_found   sign_in
report my own unprocessable unprocessable unprocessable unprocessable unprocessable not_found not_found sign_in
report an old one     ok          ok          ok          ok          not_found   not_found   not_found   sign_in
look at the report form ok        ok          ok          ok          ok          not_found   not_found   sign_in
react                 ok          ok          ok          ok          ok          not_found   not_found   sign_in
react to an old one   ok          ok          ok          ok          not_found   not_found   not_found   sign_in
take a reaction back  ok          ok          ok          ok          ok          not_found   not_found   sign_in
rename                ok          ok          not_allowed not_allowed not_allowed not_found   not_found   sign_in
share the history     ok          ok          not_allowed not_allowed not_allowed not_found   not_found   sign_in
add someone           ok          ok          not_allowed not_allowed not_allowed not_found   not_found   sign_in
add a member          idle        idle        not_allowed not_allowed not_allowed not_found   not_found   sign_in
add an owner's foe    blocked     ok          not_allowed not_allowed not_allowed not_found   not_found   sign_in
promote a member      ok          not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
promote an admin      idle        not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
promote myself        not_allowed not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
demote an admin       ok          not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
demote the owner      not_allowed not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
promote an outsider   not_found   not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
remove a member       ok          ok          not_allowed not_allowed not_allowed not_found   not_found   sign_in
remove an admin       ok          not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
remove the owner      not_allowed not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
remove myself         not_allowed not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
remove an outsider    not_found   not_found   not_allowed not_allowed not_allowed not_found   not_found   sign_in
transfer              ok          not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
leave                 conflict    ok          ok          ok          ok          not_found   not_found   sign_in
delete the group      ok          not_allowed not_allowed not_allowed not_allowed not_found   not_found   sign_in
list the links        ok          ok          not_allowed not_allowed not_allowed not_found   not_found   sign_in
make a link           ok          ok          not_allowed not_allowed not_allowed not_found   not_found   sign_in
revoke a link         ok          ok          not_allowed not_allowed not_allowed not_found   not_found   sign_in
look at a link        ok          ok          ok          ok          ok          refused     ok          ok
look at a dead link   ok          ok          ok          ok          ok          gone        gone        gone
come by a link        idle        idle        idle        idle        idle        not_allowed ok          sign_in
come by a dead link   idle        idle        idle        idle        idle        gone        gone        sign_in
join on a dead page   idle        idle        idle        idle        idle        gone        gone        gone
"""

# `one` is one of two; `blocker` has blocked `shunned` in another conversation, in which both had spoken; `shut_out` is
# someone whom `one` has blocked before they ever spoke.
BETWEEN_TWO = """
                      one         blocker     shunned     shut_out    stranger    anonymous
read the conversation ok          ok          ok          not_found   not_found   sign_in
read who is in        ok          ok          ok          not_found   not_found   sign_in
read what was said    ok          ok          ok          not_found   not_found   sign_in
read by the person    ok          ok          ok          not_found   not_found   sign_in
read what changed     ok          ok          ok          not_found   not_found   sign_in
read a message        ok          ok          ok          not_found   not_found   sign_in
get a picture         ok          ok          ok          not_found   not_found   sign_in
get a thumbnail       ok          ok          ok          not_found   not_found   sign_in
send my picture       ok          blocked     blocked     not_found   not_found   sign_in
send on               ok          blocked     blocked     not_found   not_found   sign_in
look where to send on ok          ok          ok          not_found   not_found   sign_in
read the inbox        ok          ok          ok          ok          ok          sign_in
see who has it open   ok          ok          ok          not_found   not_found   sign_in
catch up              ok          ok          ok          ok          ok          sign_in
mark as delivered     ok          ok          ok          not_found   not_found   sign_in
mark as read          ok          ok          ok          not_found   not_found   sign_in
see the status of my own ok       ok          ok          not_found   not_found   sign_in
see the status of another's not_allowed not_allowed not_allowed not_found not_found sign_in
settle my place       ok          ok          ok          not_found   not_found   sign_in
say that I type       ok          blocked     blocked     not_found   not_found   sign_in
say that I stop       ok          ok          ok          not_found   not_found   sign_in
open it               ok          ok          ok          not_found   not_found   sign_in
close it              ok          ok          ok          not_found   not_found   sign_in
begin                 idle        idle        idle        blocked     ok          sign_in
write to the person   ok          blocked     blocked     blocked     ok          sign_in
send                  ok          blocked     blocked     not_found   not_found   sign_in
send once more        idle        idle        idle        id_conflict id_conflict sign_in
send a form twice     idle        idle        idle        not_found   not_found   sign_in
reply                 ok          blocked     blocked     not_found   not_found   sign_in
edit my own           ok          blocked     blocked     not_found   not_found   sign_in
edit another's        not_allowed not_allowed not_allowed not_found   not_found   sign_in
delete my own         ok          ok          ok          not_found   not_found   sign_in
delete another's      not_allowed not_allowed not_allowed not_found   not_found   sign_in
report another's      ok          ok          ok          not_found   not_found   sign_in
report my own unprocessable unprocessable unprocessable not_found not_found sign_in
look at the report form ok        ok          ok          not_found   not_found   sign_in
react                 ok          blocked     blocked     not_found   not_found   sign_in
take a reaction back  ok          blocked     blocked     not_found   not_found   sign_in
rename                conflict    conflict    conflict    not_found   not_found   sign_in
share the history     conflict    conflict    conflict    not_found   not_found   sign_in
add someone           conflict    conflict    conflict    not_found   not_found   sign_in
promote a member      conflict    conflict    conflict    not_found   not_found   sign_in
remove a member       conflict    conflict    conflict    not_found   not_found   sign_in
remove myself         conflict    conflict    conflict    not_found   not_found   sign_in
transfer              conflict    conflict    conflict    not_found   not_found   sign_in
leave                 conflict    conflict    conflict    not_found   not_found   sign_in
delete the group      conflict    conflict    conflict    not_found   not_found   sign_in
list the links        conflict    conflict    conflict    not_found   not_found   sign_in
make a link           conflict    conflict    conflict    not_found   not_found   sign_in
revoke a link         conflict    conflict    conflict    not_found   not_found   sign_in
"""


def rows_of(table: str) -> dict[str, Row]:
    """Read a table: for every action what comes of it, by who tries."""
    head, *lines = table.strip("\n").splitlines()
    roles = head.split()
    split = [line.split() for line in lines]
    return {" ".join(words[: -len(roles)]): dict(zip(roles, words[-len(roles) :], strict=True)) for words in split}


GROUP, DIRECT = rows_of(IN_A_GROUP), rows_of(BETWEEN_TWO)
TABLES = {"in a group": GROUP, "between two": DIRECT}


def cases(*doors: str) -> list[Any]:
    """The rows of both tables whose action one of these doors leads to, for a test to take one by one."""
    rows = [(kind, action, row) for kind, table in TABLES.items() for action, row in table.items()]
    return [pytest.param(each, id=f"{each[0]}: {each[1]}") for each in rows if WAYS[each[1]].at(*doors)]
