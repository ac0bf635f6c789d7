"""Install a seccomp program in this process, make one system call, say what came back.

    python -I install_filter.py SECCOMP_NR NR [ARGUMENT ...] < program

Prints "ok" or the name of the errno, then the line `Seccomp:` of /proc/self/status.  With
an empty program nothing is installed.  NR "int80" makes the i386 call getpid through its
own entry, by eight bytes of machine code.  Needs CAP_SYS_ADMIN, as the engine has it: the
kernel then does not insist on no_new_privs.

Source: seccomp(2); syscall(2).
"""

import ctypes
import errno
import mmap
import sys
from pathlib import Path

SECCOMP_SET_MODE_FILTER = 1
# mov eax, 20 (getpid in the i386 table); int 0x80; ret
I386_GETPID = bytes.fromhex("b814000000cd80c3")

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class Program(ctypes.Structure):
    """struct sock_fprog { unsigned short len; struct sock_filter *filter; }."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(number: int, program: bytes) -> None:
    fprog = Program(len(program) // 8, program)
    arguments = (SECCOMP_SET_MODE_FILTER, 0, ctypes.byref(fprog))
    if libc.syscall(ctypes.c_long(number), *arguments):
        raise OSError(ctypes.get_errno(), "seccomp")


def call(number: int, arguments: list[int]) -> str:
    words = [ctypes.c_ulong(argument) for argument in (*arguments, *[0] * 6)][:6]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *words)
    return errno.errorcode[ctypes.get_errno()] if result == -1 else "ok"


def int80() -> str:
    code = mmap.mmap(
        -1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    )
    code.write(I386_GETPID)
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return "ok" if ctypes.CFUNCTYPE(ctypes.c_int)(address)() > 0 else "failed"


def main() -> None:
    seccomp, wanted, *arguments = sys.argv[1:]
    program = sys.stdin.buffer.read()
    if program:
        install(int(seccomp), program)
    said = int80() if wanted == "int80" else call(int(wanted), [int(a) for a in arguments])
    status = Path("/proc/self/status").read_text().splitlines()
    mode = next(line for line in status if line.startswith("Seccomp:"))
    sys.stdout.write(f"{said}\n{mode}\n")


if __name__ == "__main__":
    main()
