"""The application, with a count of the work that it hands to threads: `GET /hops` tells how much so far, `GET /threads`
how many threads were started for it.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chatproject.asgi import application as parley


class Count:
    """Every executor and every new thread passes here: asyncio's, asgiref's, anyone's."""

    hops = 0
    threads = 0

    @classmethod
    def watch(cls, owner: type, name: str) -> None:
        original = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            cls.hops += 1
            cls.threads += owner is threading.Thread
            return original(*args, **kwargs)

        setattr(owner, name, counted)


Count.watch(ThreadPoolExecutor, "submit")
Count.watch(threading.Thread, "start")


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Parley, and the count beside it."""
    known = {"/hops": Count.hops, "/threads": Count.threads}
    if scope["type"] != "http" or scope["path"] not in known:
        await parley(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(known[scope["path"]]).encode()})
