"""What is logged: one JSON object a line, or a line for people at a terminal. What happened, not who said what.

Exceptions quote what they stumble over: a row, a name, an address. So of an exception only its type and the way to it
are written down, and what other people's code says is cut to what holds no content. With DEBUG everything is shown.
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

PLACE = re.compile(rf"^.*/site-packages/|{re.escape(str(Path(__file__).resolve().parents[2]))}/")
OURS = {"accounts", "chatproject", "conversations", "messaging"}
# These speak of machines, a lost connection, a lock, a full disk, or of the code itself.
TELLABLE = (
    psycopg.OperationalError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    AttributeError,
    ImportError,
    NameError,
)


# Django and the servers come with handlers of their own, and with lines for every request and its query.
LEVELS = {
    **dict.fromkeys(sorted(OURS), "INFO"),
    "django": "WARNING",
    "django.request": "ERROR",
    "uvicorn": "WARNING",
    "uvicorn.error": "WARNING",
    "uvicorn.access": "CRITICAL",
    "urllib3": "ERROR",
}


def configuration(form: str, *, debug: bool) -> dict[str, Any]:
    """Write Django's LOGGING: everything to the standard error output, in one of the forms."""
    form = form or ("text" if debug or sys.stderr.isatty() else "json")
    formatter = {"json": JSONFormatter, "text": TextFormatter}[form]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter, "reveal": debug}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {name: {"handlers": [], "propagate": True, "level": level} for name, level in LEVELS.items()},
    }


class Line(logging.Formatter):
    """What the forms have in common: a record without its content, unless everything may be shown."""

    def __init__(self, *, reveal: bool = False) -> None:
        super().__init__()
        self._reveal = reveal

    def message(self, record: logging.LogRecord) -> str:
        """Say what happened."""
        return record.getMessage() if self._reveal else tellable(record)

    def trace(self, record: logging.LogRecord) -> list[str]:
        """Show the way to the exception of a record."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return []
        return "".join(traceback.format_exception(error)).splitlines() if self._reveal else list(way_to(error))


class JSONFormatter(Line):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message(record),
            "request_id": request_of(record),
            "socket_id": socket_id.get(),
            "exception": self.trace(record),
        }
        return orjson.dumps({name: value for name, value in told.items() if value}).decode()


class TextFormatter(Line):
    """A line for people, and the way to an exception below it."""

    def format(self, record: logging.LogRecord) -> str:
        id = request_of(record) or socket_id.get()
        first = f"{record.levelname} {record.name}: {self.message(record)}{f' [{id}]' if id else ''}"
        return "\n    ".join([first, *self.trace(record)])


def request_of(record: logging.LogRecord) -> str:
    """Find the id of the request that a record is about; Django logs some when it has ended already."""
    return request_id.get() or getattr(getattr(record, "request", None), "request_id", "")


def tellable(record: logging.LogRecord) -> str:
    """Say what a record says, without what it may quote of people's."""
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
    """Name the route of a request; its path may hold a token."""
    match = getattr(request, "resolver_match", None)
    return match.route if match else "an unknown route"


def _with_plain_errors(record: logging.LogRecord) -> str:
    """Fill in a record's message, its exceptions by their names."""
    if isinstance(record.msg, BaseException):
        return name_of(record.msg)
    if not isinstance(record.args, tuple):
        return record.getMessage()
    args = tuple(name_of(arg) if isinstance(arg, BaseException) else arg for arg in record.args)
    return str(record.msg) % args if args else str(record.msg)


def name_of(error: BaseException) -> str:
    """Name an exception: its type, its SQLSTATE, and where it can speak of nobody, its first line."""
    cause = error.__cause__ if isinstance(error.__cause__, psycopg.Error) else error
    name = type(error).__name__
    if isinstance(cause, psycopg.Error) and cause.sqlstate:
        name = f"{name} {cause.sqlstate}"
    said = str(cause).partition("\n")[0] if isinstance(cause, TELLABLE) else ""
    return f"{name}: {said}" if said else name


def way_to(error: BaseException) -> Iterator[str]:
    """Give the places an exception came through, its causes first; names of files and functions, no values."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from way_to(before)
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{PLACE.sub('', frame.filename)}:{frame.lineno} {frame.name}"
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from way_to(inner)
    yield name_of(error)
