"""The application with request timeouts of one second, where production has many."""

from chatproject.asgi import application
from chatproject.server import body_limit, http
from tests.support.constants import override_constants

__all__ = ["application"]

override_constants(http, HEAD_SECONDS=1.0, BODY_SECONDS=1.0, STALL_SECONDS=1.0)
override_constants(body_limit, SILENCE_SECONDS=1.0)
