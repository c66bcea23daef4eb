"""No statement reads messages without the rule that says who may see them (`messaging/access.py`).

SQL that names the table of messages contains `visible` or `unexpired` for the alias that it gives them, as often as it
names them so; everything else begins with `readable`, `read_message` or `unexpired_messages`. What may do without is
listed here, with the reason.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from tests.checks.test_layers import MODULES

TABLE = re.compile(r"\bmessaging_message\b(?: (?:AS )?([a-z]\w*))?", re.IGNORECASE)
MANAGERS = {"objects", "_default_manager", "_base_manager"}
RULES = {"visible", "unexpired"}

# A reason for each: the function or the name of the statement, and why it reads without the rule.
ELSEWHERE = {
    "messaging.messages.append_sql.APPEND": "it stores messages, and finds those with the same id",
    "messaging.messages.forward.forward_message": "a repeat is recognised by its id; `_repeat_json` says what is shown",
    "messaging.messages.notices.append_notice": "it stores a notice",
    "messaging.sync.inbox.show_conversations": "the ids come from LATEST_AND_UNREAD, which has the rule",
    "messaging.socket.catch_up._page": "the ids come from PAGE, which has the rule, in the same snapshot",
    "messaging.receipts.watermark_sql.SENDERS_IN_LARGE_GROUPS": "whom a receipt concerns: it shows no message",
    "messaging.said.CATCH_UP": "the position of what was said last, for everyone",
    "messaging.retention.partitions.PARENTS": "it makes and drops partitions",
    "messaging.retention.partitions.make_partition": "the name of a lock",
    "messaging.retention.partitions._lock_dropping": "the name of a lock",
    "messaging.retention.purge.LEFT_BEHIND": "it finds messages to delete",
    "messaging.retention.purge._forget_batch": "it deletes messages",
    "messaging.moderation.commands.delete_message": "the staff deletes",
    "messaging.moderation.commands._save_quarantine": "the staff blocks a file; what has expired is not published",
    "messaging.moderation.message_counts.ADD": "it counts for the staff",
    "messaging.admin.where": "the name of the table in a link",
    "messaging.management.sealed_rows._newest": "which key sealed the newest body; it is not opened",
    "messaging.management.commands.seed.handle": "the demo",
    "messaging.management.commands.seed._send_messages": "the demo",
}


def violations(tree: ast.Module) -> Iterator[str]:
    """Name the functions and statements of a module that read messages without the rule."""
    rules = dict(_rules(tree))
    for place, node in _places(tree, ""):
        if _is_unguarded(node, rules):
            yield place


def _places(node: ast.AST, place: str) -> Iterator[tuple[str, ast.AST]]:
    """Go through a module, each node with the function, or else the name, that it belongs to; but for docstrings."""
    for child in ast.iter_child_nodes(node):
        inner = place
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = child.name
        elif isinstance(child, ast.Assign) and not place:
            inner = ast.unparse(child.targets[0])
        elif isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        elif isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant):
            # The parts of a text are judged together.
            continue
        yield inner, child
        yield from _places(child, inner)


def _rules(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give the names of a module that stand for the rule, and the alias that it is about."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            ends = (node.targets[0], node.value)
            names, values = (each.elts if isinstance(each, ast.Tuple) else [each] for each in ends)
            both = zip(names, values, strict=False)
            yield from ((ast.unparse(name), alias) for name, value in both if (alias := _alias(value)))


def _alias(node: ast.AST) -> str | None:
    if isinstance(node, ast.Call) and ast.unparse(node.func) in RULES and isinstance(node.args[0], ast.Constant):
        return str(node.args[0].value)
    return None


def _is_unguarded(node: ast.AST, rules: dict[str, str]) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(TABLE.search(node.value) or node.value.startswith("messages__"))
    if isinstance(node, ast.JoinedStr):
        return _lacks_the_rule(node, rules)
    if isinstance(node, ast.Attribute):
        return node.attr == "messages" or (node.attr in MANAGERS and ast.unparse(node.value) == "Message")
    return isinstance(node, ast.keyword) and (node.arg or "").startswith("messages__")


def _lacks_the_rule(text: ast.JoinedStr, rules: dict[str, str]) -> bool:
    said = "".join(part.value if isinstance(part, ast.Constant) else "?" for part in text.values)
    filled = [part.value for part in text.values if isinstance(part, ast.FormattedValue)]
    there = Counter(_alias(value) or rules.get(ast.unparse(value)) for value in filled)
    return any(there[alias] < number for alias, number in Counter(TABLE.findall(said)).items())


# `messages` is also the name of other things: these have nothing to do with the table.
OTHERS = {
    "accounts.api.auth.errors_at",
    "chatproject.staff.site.index",
    "messaging.models.message_count.__str__",
    "messaging.sync.inbox.membership_json",
    "messaging.web.contexts.timeline._quote",
}
ABOUT_IT = "messaging.access"


@cache
def all_violations() -> frozenset[str]:
    trees = {name: ast.parse(path.read_text()) for name, path in MODULES.items() if name != ABOUT_IT}
    return frozenset(f"{name}.{place}" for name, tree in trees.items() for place in violations(tree))


def test_nothing_reads_messages_without_the_rule_but_what_is_listed() -> None:
    assert all_violations() - OTHERS == set(ELSEWHERE), (
        "use visible(), readable() or read_message() of messaging.access"
    )


def test_the_list_of_other_things_names_nothing_that_is_not_there() -> None:
    assert all_violations() >= OTHERS


@pytest.mark.parametrize(
    "text",
    [
        'READ = "SELECT * FROM messaging_message WHERE id = %s"',
        'READ = "SELECT * FROM messaging_message m JOIN other o ON o.id = m.id"',
        'def f():\n    cursor.execute("SELECT 1 FROM other o JOIN messaging_message AS m ON true")',
        "READ = f\"SELECT * FROM messaging_message x WHERE {visible('m', 'p', 'c')}\"",
        'V = visible("m", "p", "c")\nREAD = f"FROM messaging_message m WHERE {V} UNION ALL FROM messaging_message m"',
        'V = said("m")\nREAD = f"SELECT 1 FROM messaging_message m WHERE {V}"',
        'READ = f"SELECT {columns} FROM messaging_message"',
        'def f(table="messaging_message"):\n    pass',
        "def f(id):\n    return Message.objects.get(pk=id)",
        "class A:\n    async def f(self, conversation):\n        return conversation.messages.all()",
        "def f():\n    return User.objects.filter(messages__kind='text')",
        "def f():\n    return User.objects.values('messages__body')",
    ],
)
def test_this_check_sees_what_reads_without_the_rule(text: str) -> None:
    assert list(violations(ast.parse(text))) != []


@pytest.mark.parametrize(
    "text",
    [
        "READ = f\"SELECT * FROM messaging_message m WHERE {visible('m', 'p', 'c')}\"",
        'V, S = visible("m", "p", "c"), said("m")\nREAD = f"SELECT 1 FROM messaging_message m WHERE {V} AND {S}"',
        'def f():\n    """Read messaging_message."""\n    return readable(participant)',
        'READ = "SELECT * FROM messaging_messagestatus s"',
    ],
)
def test_this_check_lets_pass_what_has_the_rule(text: str) -> None:
    assert list(violations(ast.parse(text))) == []
