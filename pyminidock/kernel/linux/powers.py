"""Verbs that give power up, in the sequence the kernel demands, and the program at the end.

After the ready report nothing is told any more but a failure: descriptors are closed, the
bounding set shrinks, the user changes, capabilities go, the filter comes, and the end of
the report socket says that the program has taken over.

Source: man 7 capabilities; man 2 setresuid, prctl, seccomp, execve; docs/birth.md.
"""

import errno
import fcntl
import os
import stat

from pyminidock.kernel.linux import sockets, syscalls
from pyminidock.kernel.linux.birth import Birth, report
from pyminidock.kernel.linux.paths import NULL_DEVICE


def close_descriptors(birth: Birth) -> None:
    # A directory of the host left open is a way out, by WORKDIR /proc/self/fd/7, as in
    # CVE-2024-21626.
    os.set_inheritable(birth.report, False)
    spare = fcntl.fcntl(birth.report, fcntl.F_DUPFD_CLOEXEC, 5)
    shim = fcntl.fcntl(birth.shim, fcntl.F_DUPFD_CLOEXEC, 5)
    os.dup2(spare, 3, inheritable=False)
    os.dup2(shim, 4, inheritable=False)
    birth.report, birth.shim, birth.root, birth.proc = 3, 4, -1, -1
    syscalls.close_from(5)


def change_directory(birth: Birth, path: bytes) -> None:
    try:
        os.chdir(path)
    except PermissionError:  # a directory of the user's own; asked again as that user
        birth.late_directory = path
        return
    _verify_directory(path)


def _verify_directory(path: bytes) -> None:
    """Refuse a working directory that lies outside the root.

    Source: CVE-2024-21626; the kernel then says "(unreachable)/...".
    """
    if not syscalls.working_directory().startswith(b"/"):
        raise OSError(errno.EXDEV, "", path)


def drop_bounding_set(birth: Birth, kept: int) -> None:
    for bit in range(birth.last_capability + 1):
        if not kept >> bit & 1:
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, bit)


def become_user(birth: Birth, uid: int, gid: int, groups: tuple[int, ...]) -> None:
    syscalls.prctl(syscalls.PR_SET_KEEPCAPS, 1)
    for descriptor in (0, 1, 2):
        status = os.fstat(descriptor)
        if status.st_uid != uid and status.st_rdev != NULL_DEVICE:
            try:
                os.fchown(descriptor, uid, -1)
            except OSError as refusal:
                if refusal.errno not in (errno.EPERM, errno.EROFS, errno.EINVAL):
                    raise
    if groups:  # none are given where only one uid exists: there it is forbidden
        os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid):
        raise OSError(errno.EPERM, "")
    # Taking another user's identity clears both; without them the program could be traced
    # by its neighbours, or outlive its shim.
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, sockets.SIGKILL)
    if birth.late_directory:
        os.chdir(birth.late_directory)
        _verify_directory(birth.late_directory)


def set_capabilities(birth: Birth, mask: int) -> None:
    syscalls.prctl(syscalls.PR_SET_KEEPCAPS, 0)
    syscalls.prctl(syscalls.PR_CAP_AMBIENT, syscalls.PR_CAP_AMBIENT_CLEAR_ALL)
    syscalls.capset(mask, mask, 0)
    # Changed capabilities may have cleared it, as in _become_user.
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, sockets.SIGKILL)


def forbid_new_privileges(birth: Birth) -> None:
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)


def install_seccomp(birth: Birth, program: bytes, is_told: bool) -> None:
    if not is_told:
        syscalls.load_seccomp(program)
        return
    # From here on somebody has to answer when we name a file: the shim hands it on.
    listener = syscalls.load_listener(program)
    shim = sockets.of(birth.shim)
    sockets.send_handles(shim, b"w", [listener])
    shim.detach()
    os.close(listener)


def execute(birth: Birth, argv: tuple[bytes, ...], environment: tuple[bytes, ...]) -> None:
    """Find the program as Docker does, then become it.

    A program that is found but cannot run (its interpreter is missing, say) has *started*
    for Docker, which lets it write one line and end with 1.  So do we; the report says what
    really happened: value = errno.  Source: docker-runtime measurements; man 2 execve.
    """
    program = find_program(argv[0], environment)
    # Python ignores two of them, and the spawner the third.
    for number in (sockets.SIGPIPE, sockets.SIGXFSZ, sockets.SIGCHLD):
        sockets.forget(number)
    sockets.block_none()
    variables = dict(variable.split(b"=", 1) for variable in environment)
    try:
        os.execve(program, argv, variables)
    except OSError as refusal:
        error = refusal.errno or errno.EIO
        text = f"exec {os.fsdecode(argv[0])}: {os.strerror(error).lower()}\n"
        os.write(2, os.fsencode(text))
        report(birth.report, birth.index, value=error)
        os._exit(1)


def find_program(name: bytes, environment: tuple[bytes, ...]) -> bytes:
    """Look for a program; `filename2` of the error is 1 when PATH was searched."""
    if b"/" in name:
        _require_program(name)
        return name
    path = next((v[5:] for v in environment if v.startswith(b"PATH=")), b"")
    for directory in path.split(b":") if name else ():
        candidate = (directory or b".") + b"/" + name
        try:
            _require_program(candidate)
        except OSError:
            continue
        return candidate
    raise OSError(errno.ENOENT, "", name, None, 1)


def _require_program(path: bytes) -> None:
    if stat.S_ISDIR(os.stat(path).st_mode):
        raise IsADirectoryError(errno.EISDIR, "", path)
    if not os.access(path, os.X_OK, effective_ids=True):
        raise PermissionError(errno.EACCES, "", path)
