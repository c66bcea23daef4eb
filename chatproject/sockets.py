"""The former path of `chatproject.server.websocket`, kept because command lines of uvicorn name it."""

from chatproject.server.websocket import ChatSocket

__all__ = ["ChatSocket"]
