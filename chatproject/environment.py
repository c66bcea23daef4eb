"""Where settings come from: the environment, then what the embedded engines wrote down."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path


def read(base: Path) -> tuple[Path, dict[str, str]]:
    """Return the folder for our own data and every setting that is known, the environment first."""
    var = (base / os.environ.get("CHAT_VAR", "var")).resolve()
    return var, {**written_down(var / "environment"), **os.environ}


def written_down(file: Path) -> dict[str, str]:
    """Read the NAME=value lines of a file; an absent file says nothing."""
    if not file.is_file():
        return {}
    lines = (line.partition("=") for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in lines}


def flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    """Read a yes or no; anything but a clear yes is a no."""
    return env[name].strip().lower() in {"1", "true", "yes", "on"} if env.get(name) else default


def words(env: Mapping[str, str], name: str, default: str = "") -> list[str]:
    """Read a comma-separated list."""
    return [word.strip() for word in env.get(name, default).split(",") if word.strip()]


def digest(folder: Path, *words: str) -> str:
    """Boil all the files of a folder down to a short word that changes when one of them does."""
    found = hashlib.sha256(" ".join(words).encode())
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            found.update(file.name.encode() + file.read_bytes())
    return found.hexdigest()[:12]
