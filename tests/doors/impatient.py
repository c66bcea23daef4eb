"""The application as it is, but with connections that are given a second where they are given many."""

from chatproject import bounds, connections
from chatproject.asgi import application

__all__ = ["application"]

connections.HEAD_SECONDS = connections.BODY_SECONDS = connections.TAKING_SECONDS = 1.0
bounds.SILENCE_SECONDS = 1.0
