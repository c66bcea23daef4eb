"""The variables from which settings are read: the environment first, then the file that the embedded engines write.

Every variable is described here and nowhere else; `manage.py settings_table` prints the table for operators.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple


class Variable(NamedTuple):
    """One variable with its default and its meaning."""

    name: str
    default: str
    meaning: str
    shown: str = ""
    """What to show as the default, where the value itself would not explain it."""


class Undescribed(Exception):
    """Code reads a variable that `VARIABLES` does not describe."""


class InvalidSetting(Exception):
    """A variable has a value that cannot be used. The message is shown to the operator."""


EMBEDDED = "the embedded one"
MADE = "generated at the first `make run`"

SECTIONS: dict[str, tuple[Variable, ...]] = {
    "Where it listens, what it is called": (
        Variable("HOST", "127.0.0.1", "The address to listen on; `0.0.0.0` is every address of the machine."),
        Variable("PORT", "8000", "The port to listen on."),
        Variable("WEB_WORKERS", "1", "Web processes that `make run` starts."),
        Variable("DRAIN_SECONDS", "2", "Over how many seconds a stopping server spreads the closing of its sockets."),
        Variable(
            "SITE_URL",
            "",
            "Where people reach this site, as `https://chat.example`: links in mail and invitations begin with it, "
            "wallets and passkeys are asked for it, and its pages alone may use a person's cookie for a socket.",
            "`http://`, then `HOST` and `PORT`",
        ),
        Variable("SERVER_NAME", "Parley", "What the pages and the API call this server."),
        Variable("CHAT_VAR", "var", "The folder for everything that `make run` writes, relative to the project."),
        Variable(
            "CHAT_DEMO",
            "off",
            "Create the demo's people if there is nobody yet.",
            "on with an embedded database while this machine alone can reach the site",
        ),
        Variable("DEBUG", "off", "Show errors with their details to everyone. Never on a site that others can reach."),
    ),
    "Keys": (
        Variable("SECRET_KEY", "", "Signs sessions, tokens and cursors: at least 50 random characters.", MADE),
        Variable(
            "CHAT_KEYS",
            "",
            "Encrypt the messages: 32 bytes each in URL-safe base64, separated by commas, the newest first.",
            MADE,
        ),
    ),
    "Services": (
        Variable("DATABASE_URL", "", "PostgreSQL 15 or newer: `postgresql://name:password@host/database`.", EMBEDDED),
        Variable("REDIS_URL", "", "Redis or Valkey, 6 or newer: `redis://host:6379/0`.", EMBEDDED),
        Variable(
            "CHANNEL_REDIS_URLS",
            "",
            "Other Redis hosts for events between servers, separated by commas; the same on every server.",
            "`REDIS_URL`",
        ),
        Variable("S3_ENDPOINT_URL", "", "The S3 storage as this server reaches it.", EMBEDDED),
        Variable("S3_BUCKET", "chat-media", "The bucket for media."),
        Variable("S3_REGION", "us-east-1", "The region that signatures name."),
        Variable("S3_ACCESS_KEY_ID", "", "Our access key for the storage.", MADE),
        Variable("S3_SECRET_ACCESS_KEY", "", "Its secret key.", MADE),
        Variable(
            "S3_PUBLIC_ENDPOINT_URL",
            "",
            "The S3 storage as browsers and phones reach it; links and the content security policy name it.",
            "`S3_ENDPOINT_URL`",
        ),
        Variable(
            "SCANNER_URL",
            "",
            "A virus scanner that speaks ClamAV's protocol, which scans every upload: `tcp://host:3310`.",
            "none",
        ),
        Variable(
            "EMAIL_URL",
            "console:",
            "How mail is sent: `smtps://name:password@host:465`; `dummymail:` sends none.",
            "written to the output",
        ),
        Variable("EMAIL_FROM", "parley@localhost", "The sender of our mail."),
    ),
    "Safety": (
        Variable("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", "The host names of this site, separated by commas."),
        Variable(
            "ALLOWED_ORIGINS",
            "",
            "Other sites that may use a person's cookie here, as `https://name`, separated by commas.",
        ),
        Variable(
            "BEHIND_TLS",
            "off",
            "People reach us by https: cookies are Secure, and browsers use only https from then on (HSTS).",
        ),
        Variable(
            "TRUSTED_PROXIES",
            "",
            "Addresses or networks of our proxies, whose `X-Forwarded-For` and `-Proto` are trusted, by commas.",
        ),
        Variable(
            "STAFF_SECOND_FACTOR",
            "",
            "Whether members of the staff need a second factor (`on`, `off`).",
            "on with BEHIND_TLS, else off",
        ),
        Variable("CHAT_LIMITS", "on", "Rate limits; `off` is for load tests."),
    ),
    "Messages": (
        Variable("EDIT_SECONDS", "86400", "How long after sending a message may be edited."),
        Variable("GROUP_MEMBERS", "1000", "How many members a group may have."),
        Variable("UPLOAD_BYTES", "104857600", "How large a file may be; a picture may also have at most 30 MB."),
        Variable("UPLOAD_BYTES_A_DAY", "1073741824", "How much one person may upload in a day."),
    ),
    "Watching": (
        Variable("LOG_FORMAT", "", "`json` or `text`.", "`text` at a terminal or with DEBUG, else `json`"),
        Variable(
            "METRICS_TOKEN",
            "",
            "A bearer token that allows to read `/metrics`; this machine may without it, if no proxy is named.",
        ),
    ),
}
VARIABLES = {variable.name: variable for section in SECTIONS.values() for variable in section}
YES = {"1", "true", "yes", "on"}


class Environment(Mapping[str, str]):
    """The value of every described variable: as set, otherwise its default. An empty value counts as not set."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    def __getitem__(self, name: str) -> str:
        if name not in VARIABLES:
            raise Undescribed(f"{name}: describe this variable in chatproject/environment.py first")
        return self._known.get(name) or VARIABLES[name].default

    def __iter__(self) -> Iterator[str]:
        return iter(VARIABLES)

    def __len__(self) -> int:
        return len(VARIABLES)

    def flag(self, name: str) -> bool:
        """Read a boolean; anything other than a clear yes is false."""
        return self[name].strip().lower() in YES

    def words(self, name: str) -> list[str]:
        """Read a comma-separated list."""
        return [word.strip() for word in self[name].split(",") if word.strip()]


def read(base: Path) -> tuple[Path, Environment]:
    """Return the data folder and all variables; the environment takes precedence over the file."""
    var = (base / (os.environ.get("CHAT_VAR") or VARIABLES["CHAT_VAR"].default)).resolve()
    return var, Environment({**read_variables(var / "environment"), **os.environ})


def read_variables(file: Path) -> dict[str, str]:
    """Read the NAME=value lines of a file; a missing file has none."""
    if not file.is_file():
        return {}
    lines = (line.partition("=") for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in lines}


def table() -> str:
    """Return all variables as Markdown, with a table for each section."""
    return "\n\n".join(_section(title, variables) for title, variables in SECTIONS.items())


def _section(title: str, variables: tuple[Variable, ...]) -> str:
    head = f"**{title}**\n\n| variable | default | what it is |\n|---|---|---|\n"
    return head + "\n".join(f"| `{it.name}` | {_default(it)} | {it.meaning} |" for it in variables)


def _default(variable: Variable) -> str:
    return variable.shown or (f"`{variable.default}`" if variable.default else "none")


def digest(folder: Path, *values: str) -> str:
    """Return a short digest of all files of a folder and of further values."""
    found = hashlib.sha256(" ".join(values).encode())
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            found.update(file.name.encode() + file.read_bytes())
    return found.hexdigest()[:12]
