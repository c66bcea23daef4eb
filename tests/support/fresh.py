"""Run management commands one after the other on engines that start empty, with the demo asked for.

`python -m tests.support.fresh "makemigrations --check" prepare prepare`
"""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from chatproject.embedded.application import manage_command
from chatproject.embedded.data_folder import DataFolder
from chatproject.embedded.engines import running_engines


def main(commands: list[str]) -> int:
    """Return 0 if every command succeeded, else the exit code of the first that did not."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="parley-") as place:
        folder = DataFolder(Path(place))
        with folder.locked(), running_engines(folder, {}) as engines:
            environ = {**os.environ, **engines.environment(), "CHAT_VAR": place, "CHAT_DEMO": "1"}
            for command in commands:
                code = subprocess.run(manage_command(*shlex.split(command)), env=environ, check=False).returncode
                if code:
                    print(f"`manage.py {command}` failed on an empty database.", file=sys.stderr)
                    return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
