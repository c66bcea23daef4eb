"""Calls of the Linux kernel for which Python has no functions; OSError if the kernel refuses or lacks one."""

import ctypes
import os

NO_NEW_PRIVILEGES = 38
DUMPABLE = 4
PARENT_DEATH_SIGNAL = 1
SECCOMP = 22
NEW_NETWORK = 0x4000_0000
NEW_IPC = 0x0800_0000

NONE = (ctypes.c_ulong(0), ctypes.c_ulong(0))

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int, argument: bytes | None = None) -> None:
    """Change an attribute of this process; bytes are passed by their address."""
    _require(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), ctypes.c_char_p(argument), *NONE))


def unshare(flags: int) -> None:
    """Leave namespaces for new ones."""
    _require(_libc.unshare(ctypes.c_int(flags)))


def syscall(number: int, *arguments: int | bytes) -> int:
    """Make a system call by its number; bytes are passed by their address."""
    passed = (
        ctypes.c_char_p(argument) if isinstance(argument, bytes) else ctypes.c_long(argument) for argument in arguments
    )
    return _require(_libc.syscall(ctypes.c_long(number), *passed))


def _require(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
