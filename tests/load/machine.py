"""What the figures were measured on: the machine, the engines, the versions."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psycopg
import redis

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
PACKAGES = ("Django", "channels", "channels_redis", "uvicorn", "daphne", "uvloop", "websockets", "psycopg", "redis")


def described() -> dict[str, str]:
    """Describe all of it, in words; raise if PostgreSQL may lose what it has committed."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{cpu_model()}, {os.cpu_count()} cores",
        "Python": platform.python_version(),
        **engines(),
        **{name: version(name) for name in PACKAGES},
    }


def engines() -> dict[str, str]:
    """Ask the engines for their versions and settings."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        found = {name: _setting(connection, name) for name in ("server_version", *DURABLE)}
    if off := [name for name in DURABLE if found[name] != "on"]:
        raise RuntimeError(f"{', '.join(off)} must be on, or the figures mean nothing")
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        server = client.info("server")
    found["PostgreSQL"] = found.pop("server_version")
    return {**found, "Redis": str(server["redis_version"])}


def _setting(connection: "psycopg.Connection[tuple[str]]", name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    return row[0] if row else ""


def cpu_model() -> str:
    """Name the processor, as Linux does."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
