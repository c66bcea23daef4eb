"""The secrets of the embedded default: made once, kept for ever, never written again."""

import base64
import os
import secrets

from chatproject import environment

from .errors import CannotRun
from .folder import Folder, write_private

NAMES = ("SECRET_KEY", "CHAT_KEYS", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")


def keys(folder: Folder) -> dict[str, str]:
    """Return the secrets of this folder, made at the first start."""
    file = folder.path / "keys"
    if not file.exists():
        _refuse_if_there_is_data(folder)
        write_private(file, _new_keys(), replace=False)
    if file.stat().st_uid != os.getuid():
        raise CannotRun(f"{file} belongs to someone else. Make it yours (chown), if you know that nobody changed it.")
    # A copy out of a backup may be readable by everyone.
    file.chmod(0o600)
    known = environment.written_down(file)
    if missing := [name for name in NAMES if not known.get(name)]:
        raise CannotRun(f"{file} is damaged: {', '.join(missing)} is missing. Bring the file back from a backup.")
    return {name: known[name] for name in NAMES}


def _refuse_if_there_is_data(folder: Folder) -> None:
    for name in ("postgres", "storage"):
        if (folder.path / name).exists():
            raise CannotRun(
                f"There is data in {folder.path}, but its file `keys` is gone, and without those keys no message can "
                "be read. Bring the file back from a backup; or, to begin anew, move the whole folder away."
            )


def _new_keys() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CHAT_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "S3_ACCESS_KEY_ID": secrets.token_hex(10),
        "S3_SECRET_ACCESS_KEY": secrets.token_urlsafe(30),
    }
