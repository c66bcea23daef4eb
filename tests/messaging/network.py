"""The network between servers, cut and mended."""

from typing import Any

import pytest
from channels.layers import get_channel_layer

from chatproject.core.channel_layer import LoopLayer


class Wire:
    """The network between the servers. What is told while it is cut is lost; when it is back, the hubs are told so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._lost: tuple[str, ...] = ()
        whole = LoopLayer.group_send_many

        async def send(layer: LoopLayer, posts: Any, **options: Any) -> None:
            await whole(layer, [post for post in posts if not post[0].startswith(self._lost)], **options)

        monkeypatch.setattr(LoopLayer, "group_send_many", send)

    def cut(self, *, off: tuple[str, ...] = ("conversation.", "user.")) -> None:
        """Lose what is told to groups whose names begin like this."""
        self._lost = off

    def mend(self, *, heals: bool = True) -> None:
        self._lost = ()
        if heals:
            get_channel_layer()._get_layer().on_lost()
