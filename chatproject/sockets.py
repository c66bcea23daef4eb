"""The former name of `chatproject.server.websocket`, as command lines of uvicorn know it."""

from chatproject.server.websocket import ChatSocket

__all__ = ["ChatSocket"]
