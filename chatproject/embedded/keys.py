"""The keys of an embedded installation: generated once, then only read."""

import base64
import os
import secrets

from chatproject import environment

from .data_folder import DataFolder, write_variables
from .errors import CannotRun

NAMES = ("SECRET_KEY", "CHAT_KEYS", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")


def load_keys(folder: DataFolder) -> dict[str, str]:
    """Return the keys of this folder, generated at the first start."""
    file = folder.path / "keys"
    if not file.exists():
        _refuse_if_data_exists(folder)
        write_variables(file, _new_keys(), replace=False)
    if file.stat().st_uid != os.getuid():
        raise CannotRun(f"{file} belongs to someone else. Make it yours (chown), if you know that nobody changed it.")
    # A copy from a backup may be readable for everyone.
    file.chmod(0o600)
    known = environment.read_variables(file)
    if missing := [name for name in NAMES if not known.get(name)]:
        raise CannotRun(f"{file} is damaged: {', '.join(missing)} is missing. Bring the file back from a backup.")
    return {name: known[name] for name in NAMES}


def _refuse_if_data_exists(folder: DataFolder) -> None:
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
