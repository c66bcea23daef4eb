"""Every wait for anything but the database stands inside `without_connection`, so that nobody keeps a connection from
everybody else while they wait. What waits by itself is listed here; a new place has to use the idea, or give a reason.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.checks.test_layers import MODULES

WAITS = {
    "time.sleep",
    "subprocess.run",
    "subprocess.Popen",
    "subprocess.check_output",
    "socket.create_connection",
    "psycopg.connect",
    "concurrent.futures.wait",
    "urllib.request.urlopen",
    "asgiref.sync.async_to_sync",
    "boto3.client",
    "smtplib.SMTP",
    "message.send",
}
"""Calls that wait; of each also whatever is called by its last name, if that is imported."""
METHODS = {"acquire", "execute_command", "result"}
"""Methods that wait, whatever they belong to."""
CLIENTS = {"_internal_client"}
"""Names of what waits whatever it is asked: the storage's client."""
LOCKS = {"Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Barrier"}
GUARDS = {"without_connection", "storage_call"}
"""What a wait stands in; `storage_call` begins with the other."""

# A reason for each: the function, and why it may wait outside.
ELSEWHERE = {
    "chatproject.core.rate_limits.memory.consume": "its lock is held for a few microseconds, without any other wait",
    "chatproject.core.rate_limits.memory.clear": "its lock is held for a few microseconds, without any other wait",
    "chatproject.core.migration_locks.retried": "a program of its own migrates, on a connection that keeps its lock",
    "chatproject.core.migration_locks.alone": "a program of its own migrates, on a connection that keeps its lock",
    "messaging.receipts.watermarks._wait_for_locks": "it waits for a row that another transaction has locked",
    "chatproject.core.encryption.ring._stored_current": "it waits for the database, once in a command",
    "chatproject.keys.reporter.start": "it is called once, before this process serves anybody",
    "chatproject.keys.reporter._connected": "it is called in a thread of its own, which uses no connection of Django's",
    "chatproject.health._connection": "it is called in threads of its own, which use no connection of Django's",
    "chatproject.health._works": "the answer is there already",
    "chatproject.health._answer_for_metrics": "the answer is there already",
    "messaging.media.storage.list_objects": "it makes a paginator, which calls when it is advanced, in `storage_call`",
}
OUT_OF_SIGHT = ("chatproject.embedded", "messaging.media.sanitizer", "messaging.management", "chatproject.management")
"""Programs of their own: no request and no job runs them."""


def waits_in(tree: ast.Module) -> Iterator[str]:
    """Name the functions of a module that wait outside of the guards."""
    imported, locks = _imports(tree), set(_locks(tree))
    for function, guarded, node in _walk(tree, "", False):
        if not guarded and _is_wait(node, imported, locks):
            yield function


def _walk(node: ast.AST, function: str, guarded: bool) -> Iterator[tuple[str, bool, ast.AST]]:
    """Go through synchronous code, each node with the function it stands in, and whether that has a guard there."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.AsyncFunctionDef):
            continue
        yield function, guarded, child
        if isinstance(child, ast.FunctionDef):
            yield from _walk(child, child.name, any(map(_is_guard, child.decorator_list)))
        elif isinstance(child, ast.With):
            yield from _walk_with(child, function, guarded)
        else:
            yield from _walk(child, function, guarded)


def _walk_with(node: ast.With, function: str, guarded: bool) -> Iterator[tuple[str, bool, ast.AST]]:
    """What stands left of a guard in the same line is not guarded by it."""
    for item in node.items:
        yield function, guarded, item
        yield from _walk(item, function, guarded)
        guarded = guarded or _is_guard(item.context_expr)
    for child in node.body:
        yield function, guarded, child
        yield from _walk(child, function, guarded)


def _is_guard(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GUARDS


def _is_wait(node: ast.AST, imported: dict[str, str], locks: set[str]) -> bool:
    if isinstance(node, ast.withitem):
        return ast.unparse(node.context_expr).rpartition(".")[2] in locks
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    first, _, rest = name.partition(".")
    whole = f"{imported.get(first, first)}.{rest}" if rest else imported.get(first, first)
    owner, _, method = name.rpartition(".")
    return whole in WAITS or method in METHODS or owner.rpartition(".")[2] in CLIENTS


def _imports(tree: ast.Module) -> dict[str, str]:
    """What the names of a module stand for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _locks(tree: ast.Module) -> Iterator[str]:
    """Name the locks that a module makes, and those that it imports by their usual capitals."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            kind = ast.unparse(node.value.func)
            yield from (ast.unparse(target).rpartition(".")[2] for target in node.targets if _is_lock(kind))
    yield "HASHING"


def _is_lock(kind: str) -> bool:
    return kind.rpartition(".")[2] in LOCKS and not kind.startswith("asyncio")


def all_waits() -> set[str]:
    seen = {name: path.read_text() for name, path in MODULES.items() if not name.startswith(OUT_OF_SIGHT)}
    return {f"{name}.{function}" for name, text in seen.items() for function in waits_in(ast.parse(text))}


def test_nothing_waits_with_a_connection_but_what_is_listed() -> None:
    assert all_waits() == set(ELSEWHERE), "wrap the wait in chatproject.core.database.without_connection()"


@pytest.mark.parametrize(
    "text",
    [
        "import time\ndef f():\n    time.sleep(1)",
        "from time import sleep as rest\ndef f():\n    rest(1)",
        "import subprocess\ndef f():\n    with answer:\n        subprocess.run([])",
        "from threading import Lock\nONE = Lock()\ndef f():\n    with ONE, without_connection():\n        pass",
        "def f():\n    with commands.HASHING:\n        pass",
        "def f(self):\n    self._internal_client.head_object()",
        "def f():\n    without_connection()\n    future.result()",
        "@cache\ndef f():\n    message.send()",
    ],
)
def test_this_check_sees_what_waits(text: str) -> None:
    assert list(waits_in(ast.parse(text))) != []


@pytest.mark.parametrize(
    "text",
    [
        "import time\n@without_connection()\ndef f():\n    time.sleep(1)",
        "from threading import Lock\nONE = Lock()\ndef f():\n    with without_connection(), ONE:\n        pass",
        "def f(self):\n    with storage_call():\n        self._internal_client.head_object()",
        "import asyncio\nasync def f():\n    await asyncio.sleep(1)",
    ],
)
def test_this_check_lets_pass_what_waits_without_a_connection(text: str) -> None:
    assert list(waits_in(ast.parse(text))) == []
