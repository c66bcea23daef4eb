"""The application as it is, but with connections that are given a second where they are given many."""

from chatproject.asgi import application
from chatproject.server import body_limit, http

__all__ = ["application"]

http.HEAD_SECONDS = http.BODY_SECONDS = http.TAKING_SECONDS = 1.0
body_limit.SILENCE_SECONDS = 1.0
