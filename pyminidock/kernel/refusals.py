"""What a refused call means, in words: errno, the verb, and the way out.

The container rooms turn some of these into Docker's own sentences; this is the text for
everybody who looks at the call itself.
"""

import errno as numbers
import os

from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call
from pyminidock.kernel.netcalls import NetCall
from pyminidock.kernel.netrefusals import net_object_of, net_words
from pyminidock.kernel.port import CallFailed

_WHY = {
    numbers.EPERM: "the kernel allows this only to a process with more powers",
    numbers.EACCES: "the permissions of the file or of one of its directories forbid it",
    numbers.ENOENT: "the file, directory or device does not exist where it was looked for",
    numbers.ENOTDIR: "a part of the path is a file, and a file has no children",
    numbers.ELOOP: "a symbolic link leads in circles, or out of the container's root",
    numbers.EXDEV: "the place lies on another filesystem than the engine's own: a trap",
    numbers.EINVAL: "the kernel does not know this combination of values",
    numbers.ENOSPC: "the disk, or a limit on the number of kernel objects, is full",
    numbers.EAGAIN: "a limit on processes is reached",
    numbers.ENOMEM: "the kernel has no memory left for this",
    numbers.ENODEV: "the kernel was built without this filesystem or device",
    numbers.ENOSYS: "this kernel is older than the system call",
    numbers.EBUSY: "somebody is still using it",
    numbers.ECHILD: "the newborn process was ended from outside before it was ready",
    numbers.E2BIG: "command line and environment together are too long",
    numbers.EADDRINUSE: "another program of this host has this port",
    numbers.EADDRNOTAVAIL: "no network device of this host has this address",
    numbers.EOPNOTSUPP: "this kernel was built without nf_tables, or without a part of it",
    numbers.EROFS: "the filesystem is read-only",
}


def refused(
    index: int, call: Call, errno: int, detail: str = "", value: int = 0
) -> CallFailed:
    """Make the error for call number `index`; `detail` is the path or text in question."""
    verb = type(call).__name__
    about = detail or _object_of(call)
    why = _WHY.get(errno, f"the kernel answered {numbers.errorcode.get(errno, errno)}")
    words = net_words(call, errno) if isinstance(call, NetCall) else None
    return CallFailed(
        f"{verb} {about}".rstrip() + f": {os.strerror(errno).lower()}",
        why=words[0] if words else why,
        try_next=words[1] if words else "minidock doctor",
        lesson="networks" if isinstance(call, NetCall) else "birth",
        index=index,
        call=call,
        errno=errno,
        value=value,
    )


def _object_of(call: Call) -> str:
    """Name what a call is about."""
    if isinstance(call, NetCall):
        return net_object_of(call)
    match call:
        case calls.LimitCgroup(path, file, value):
            return f"{path}/{file} = {value}"
        case calls.EnterNamespace(namespace):
            return namespace
        case calls.Mount(_, _, target) | calls.Bind(_, target):
            return target
        case calls.Execute(argv, _):
            return argv[0] if argv else ""
        case _:
            return str(getattr(call, "path", getattr(call, "target", "")))
