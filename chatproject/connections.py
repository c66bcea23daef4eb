"""The former name of `chatproject.server.http`, as command lines of uvicorn know it."""

from chatproject.server.http import ChatHttp

__all__ = ["ChatHttp"]
