"""Landlock: a process gives up its access to files, ports and other processes (Linux 5.13 and newer)."""

import os
import struct
from collections.abc import Mapping
from pathlib import Path

from messaging.media.sanitizer.linux import syscall

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION = 1
PATH_BENEATH = 1

WRITE = 1 << 1
READ = 1 << 2
TRUNCATE = 1 << 14

TCP = 0b11
"""Bind and connect."""
OTHER_PROCESSES = 0b11
"""Abstract unix sockets and signals of processes outside the sandbox."""


def restrict_access(rights: Mapping[Path, int]) -> None:
    """Keep only these rights to these files, and no access to ports; OSError if the kernel has no Landlock."""
    version = syscall(CREATE_RULESET, 0, 0, VERSION)
    known = _file_rights(version)
    refused = _refused(version, known)
    ruleset = syscall(CREATE_RULESET, refused, len(refused), 0)
    try:
        for path, allowed in rights.items():
            _allow(ruleset, path, allowed & known)
        syscall(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _file_rights(version: int) -> int:
    """Return all file rights that this version knows: each of the listed versions added one."""
    return (1 << 13 + sum(version >= added for added in (2, 3, 5))) - 1


def _refused(version: int, known: int) -> bytes:
    """Pack the rights to refuse, in as many words as this version reads."""
    words = [known, *([TCP] if version >= 4 else []), *([OTHER_PROCESSES] if version >= 6 else [])]
    return struct.pack(f"={len(words)}Q", *words)


def _allow(ruleset: int, path: Path, allowed: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        syscall(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", allowed, descriptor), 0)
    finally:
        os.close(descriptor)
