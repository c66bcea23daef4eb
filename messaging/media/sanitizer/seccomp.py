"""A filter of system calls (seccomp): no sockets, no programs, no processes, no access to other processes.

The filter lists the calls that are refused, not those that are allowed: which harmless ones a decoder needs differs
between processors and C libraries. Calls that are newer than this list fail as if they did not exist.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator

from messaging.media.sanitizer.linux import SECCOMP, prctl

# name, number on x86_64, number on arm64
TABLE = """
socket             41 198
socketpair         53 199
io_uring_setup    425 425
io_uring_enter    426 426
io_uring_register 427 427
fork               57   -
vfork              58   -
execve             59 221
execveat          322 281
kill               62 129
tkill             200 130
rt_sigqueueinfo   129 138
rt_tgsigqueueinfo 297 240
pidfd_open        434 434
pidfd_send_signal 424 424
pidfd_getfd       438 438
ptrace            101 117
process_vm_readv  310 270
process_vm_writev 311 271
process_madvise   440 440
process_mrelease  448 448
kcmp              312 272
move_pages        279 239
migrate_pages     256 238
setpriority       141 140
ioprio_set        251  30
sched_setparam    142 118
sched_setscheduler 144 119
sched_setattr     314 274
sched_setaffinity 203 122
unshare           272  97
setns             308 268
chroot            161  51
pivot_root        155  41
mount             165  40
umount2           166  39
move_mount        429 429
open_tree         428 428
fsopen            430 430
fsconfig          431 431
fsmount           432 432
fspick            433 433
mount_setattr     442 442
open_by_handle_at 304 265
name_to_handle_at 303 264
fanotify_init     300 262
bpf               321 280
perf_event_open   298 241
userfaultfd       323 282
add_key           248 217
request_key       249 218
keyctl            250 219
shmget             29 194
semget             64 190
msgget             68 186
mq_open           240 180
personality       135  92
syslog            103 116
quotactl          179  60
acct              163  89
swapon            167 224
reboot            169 142
init_module       175 105
finit_module      313 273
delete_module     176 106
kexec_load        246 104
kexec_file_load   320 294
"""
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
TGKILL = {"x86_64": 234, "aarch64": 131}
PRLIMIT = {"x86_64": 302, "aarch64": 261}
NEWEST_CALL = 462
AUDIT_ARCH = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
COLUMN = {"x86_64": 1, "aarch64": 2}

# Classic BPF, as <linux/bpf_common.h> and <linux/seccomp.h> name them.
LOAD, IS_EQUAL, IS_ABOVE, HAS_BITS, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, KILL, FAIL = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
REFUSED, UNKNOWN = FAIL | errno.EPERM, FAIL | errno.ENOSYS
CLONE_THREAD = 0x1_0000
MODE_FILTER = 2

Instruction = tuple[int, int, int, int]
"""Code, instructions to skip if true, instructions to skip if false, value."""


def restrict_calls() -> None:
    """Refuse the calls of the table from now on; OSError if the kernel or this processor does not support it."""
    machine = platform.machine()
    if machine not in COLUMN:
        raise OSError(errno.ENOSYS, f"no table of system calls for {machine}")
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in _filter(machine, os.getpid()))
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    prctl(SECCOMP, MODE_FILTER, header)


def _filter(machine: str, own_pid: int) -> Iterator[Instruction]:
    yield from [(LOAD, 0, 0, ARCHITECTURE), (IS_EQUAL, 1, 0, AUDIT_ARCH[machine]), (RETURN, 0, 0, KILL)]
    yield from [(LOAD, 0, 0, NUMBER), (IS_ABOVE, 0, 1, NEWEST_CALL), (RETURN, 0, 0, UNKNOWN)]
    for number in _refused(machine):
        yield from [(IS_EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSED)]
    # Without clone3 the C library uses `clone`, whose flags the filter can read: threads are needed, processes are not.
    yield from [(IS_EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, UNKNOWN)]
    yield from _only(CLONE[machine], (HAS_BITS, 1, 0, CLONE_THREAD))
    # `abort` signals its own process; and a process reads its own limits, for which 0 is another name.
    yield from _only(TGKILL[machine], (IS_EQUAL, 1, 0, own_pid))
    yield from _only(PRLIMIT[machine], (IS_EQUAL, 2, 0, own_pid), (IS_EQUAL, 1, 0, 0))
    yield (RETURN, 0, 0, ALLOW)


def _refused(machine: str) -> Iterator[int]:
    numbers = (line.split()[COLUMN[machine]] for line in TABLE.strip().splitlines())
    return (int(number) for number in numbers if number != "-")


def _only(number: int, *tests: Instruction) -> Iterator[Instruction]:
    """Allow a call only if its first argument passes one of the tests."""
    yield (IS_EQUAL, 0, len(tests) + 3, number)
    yield (LOAD, 0, 0, FIRST_ARGUMENT)
    yield from tests
    yield from [(RETURN, 0, 0, REFUSED), (RETURN, 0, 0, ALLOW)]
