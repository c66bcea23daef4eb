"""Log formats without personal content: one JSON object per line, or one line of text at a terminal.

Exceptions quote the values that caused them: a row, a name, an address. Therefore only the type and the stack of an
exception are logged, and messages of other people's code are shortened to what holds no content. With DEBUG,
everything is shown.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import psycopg
import redis.exceptions

request_id: ContextVar[str] = ContextVar("request_id", default="")
socket_id: ContextVar[str] = ContextVar("socket_id", default="")

PATH_PREFIX = re.compile(rf"^.*/site-packages/|{re.escape(str(Path(__file__).resolve().parents[2]))}/")
OURS = {"accounts", "chatproject", "conversations", "messaging"}
# Their messages are about machines, connections, locks, a full disk or the code, never about people.
SAFE_ERRORS = (
    psycopg.OperationalError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    AttributeError,
    ImportError,
    NameError,
)


# Django and the web servers have handlers of their own, and log every request with its query.
LEVELS = {
    **dict.fromkeys(sorted(OURS), "INFO"),
    "django": "WARNING",
    "django.request": "ERROR",
    "uvicorn": "WARNING",
    "uvicorn.error": "WARNING",
    "uvicorn.access": "CRITICAL",
    "urllib3": "ERROR",
}


def configuration(format: str, *, debug: bool) -> dict[str, Any]:
    """Return Django's LOGGING: everything goes to standard error, in the format `json` or `text`."""
    name = format or ("text" if debug or sys.stderr.isatty() else "json")
    formatter = {"json": JSONFormatter, "text": TextFormatter}[name]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter, "reveal": debug}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {name: {"handlers": [], "propagate": True, "level": level} for name, level in LEVELS.items()},
    }


class SafeFormatter(logging.Formatter):
    """The base of both formats: it leaves out personal content, unless everything may be shown."""

    def __init__(self, *, reveal: bool = False) -> None:
        super().__init__()
        self._reveal = reveal

    def message(self, record: logging.LogRecord) -> str:
        """Return the message of a record."""
        return record.getMessage() if self._reveal else safe_message(record)

    def trace(self, record: logging.LogRecord) -> list[str]:
        """Return the stack and the type of the exception of a record."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return []
        return "".join(traceback.format_exception(error)).splitlines() if self._reveal else list(safe_trace(error))


class JSONFormatter(SafeFormatter):
    """One JSON object per line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message(record),
            "request_id": request_of(record),
            "socket_id": socket_id.get(),
            "exception": self.trace(record),
        }
        return orjson.dumps({name: value for name, value in fields.items() if value}).decode()


class TextFormatter(SafeFormatter):
    """One line of text for people, followed by the stack of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        id = request_of(record) or socket_id.get()
        first = f"{record.levelname} {record.name}: {self.message(record)}{f' [{id}]' if id else ''}"
        return "\n    ".join([first, *self.trace(record)])


def request_of(record: logging.LogRecord) -> str:
    """Return the id of the request that a record belongs to; Django logs some records after their request has ended."""
    return request_id.get() or getattr(getattr(record, "request", None), "request_id", "")


def safe_message(record: logging.LogRecord) -> str:
    """Return the message of a record, without anything that it may quote from people."""
    source = record.name.partition(".")[0]
    if record.name.startswith("django.security"):
        return "a request was refused"
    if source == "django" and hasattr(record, "request"):
        return f"{record.request.method} {_route(record.request)}: {getattr(record, 'status_code', '')}"
    if source == "procrastinate":
        job = getattr(record, "job", None) or {}
        return f"{getattr(record, 'action', 'worker')} {job.get('task_name', '')} {job.get('id', '')}".strip()
    text = _with_plain_errors(record)
    return text if source in OURS else text.partition("\n")[0]


def _route(request: Any) -> str:
    """Return the route of a request, not its path, which may contain a token."""
    match = getattr(request, "resolver_match", None)
    return match.route if match else "an unknown route"


def _with_plain_errors(record: logging.LogRecord) -> str:
    """Format a record's message, with exceptions replaced by their names."""
    if isinstance(record.msg, BaseException):
        return error_name(record.msg)
    if not isinstance(record.args, tuple):
        return record.getMessage()
    args = tuple(error_name(arg) if isinstance(arg, BaseException) else arg for arg in record.args)
    return str(record.msg) % args if args else str(record.msg)


def error_name(error: BaseException) -> str:
    """Return an exception's type, its SQLSTATE and, if its message cannot be about people, the first line of that."""
    cause = error.__cause__ if isinstance(error.__cause__, psycopg.Error) else error
    name = type(error).__name__
    if isinstance(cause, psycopg.Error) and cause.sqlstate:
        name = f"{name} {cause.sqlstate}"
    detail = str(cause).partition("\n")[0] if isinstance(cause, SAFE_ERRORS) else ""
    return f"{name}: {detail}" if detail else name


def safe_trace(error: BaseException) -> Iterator[str]:
    """Yield the stack of an exception, its causes first: names of files and functions, no values."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from safe_trace(before)
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{PATH_PREFIX.sub('', frame.filename)}:{frame.lineno} {frame.name}"
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from safe_trace(inner)
    yield error_name(error)
