"""The former path of `chatproject.server.http`, kept because command lines of uvicorn name it."""

from chatproject.server.http import ChatHttp

__all__ = ["ChatHttp"]
