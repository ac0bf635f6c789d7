"""What happens between fork and exec: the process that becomes PID 1 builds its own walls.

The child decides nothing.  It walks a list of verbs, calls the function of each with plain
numbers, and reports each call on the birth socket; in lockstep it then waits for one byte
before it goes on, which is where a person may hold it.

    child ──(index, errno, value, time)──► daemon          one report per call
    child ◄────────────── go ───────────── daemon          in lockstep only
    child ◄────────────── go ───────────── shim            when it has become the parent

From CloseDescriptors on nothing more is reported but a failure; the socket closes on exec,
so its end-of-file says that the program has taken over.

Nothing is imported here after the fork, no name service is asked, and every path of the
container is opened below a handle on its root (openat2, RESOLVE_IN_ROOT), because the tree
was made by a stranger.  Targets are opened first and mounted on through their handle.

Source: the order and its reasons are the project's birth order, docs/birth.md; man 2 of
each call; runc's history of escapes, told beside the verbs that close them.
"""

import errno
import os
from collections.abc import Callable

from pyminidock.kernel.linux import powers, walls
from pyminidock.kernel.linux.birth import Aborted, Birth, report

_SILENT = ("CloseDescriptors", "ChangeDirectory", "DropBoundingSet", "BecomeUser",
           "SetCapabilities", "ForbidNewPrivileges", "InstallSeccomp")  # fmt: skip


def live(birth: Birth, first: int) -> None:
    """Perform the calls from number `first` of the whole plan on.

    Ends in execve or in `os._exit`, never returns.
    """
    try:
        os.umask(0)  # modes of nodes and directories are meant as they are given
        walk(birth, first)
    except Aborted:
        tell_shim(birth)
    except OSError as refusal:
        detail = refusal.filename if isinstance(refusal.filename, bytes) else b""
        value = refusal.filename2 if isinstance(refusal.filename2, int) else 0
        _last_words(birth, refusal.errno or errno.EIO, value, detail)
    except ValueError:  # Python refused what the kernel would have
        _last_words(birth, errno.EINVAL, 0, b"")
    except BaseException as surprise:  # a bug: say which, and leave
        _last_words(birth, errno.ENOTRECOVERABLE, 0, repr(surprise).encode())
    os._exit(1)


def walk(birth: Birth, first: int) -> None:
    """Perform one call after the other; report each, as long as reports are made."""
    calls = birth.calls_from(first)
    for birth.index, (verb, words) in enumerate(calls, first):
        if birth.fail_at[0] == birth.index:
            raise OSError(birth.fail_at[1], "failed on purpose")
        value = VERBS[verb](birth, *words)
        if verb not in _SILENT:
            birth.note(birth.index, value or 0)
        if verb == "AnnounceReady":
            birth.catch_up()


def _last_words(birth: Birth, error: int, value: int, detail: bytes) -> None:
    tell_shim(birth)
    try:
        birth.catch_up()
        report(birth.report, birth.index, error=error, value=value, detail=detail)
    except Aborted:
        return


def tell_shim(birth: Birth) -> None:
    """Say that no program came of this: the shim then leaves no exit record."""
    try:
        os.write(birth.shim, b"!")
    except OSError:
        return


VERBS: dict[str, Callable[..., int | None]] = {
    "JoinCgroup": walls.join_cgroup,
    "EnterNamespace": walls.enter_namespace,
    "JoinSandbox": walls.join_sandbox,
    "RefuseTracers": walls.refuse_tracers,
    "DieWithParent": walls.die_with_parent,
    "JoinKeyring": walls.join_keyring,
    "SetPropagation": walls.set_propagation,
    "AttachRoot": walls.attach_root,
    "MakeDirectory": walls.make_directory,
    "Mount": walls.mount,
    "Bind": walls.bind,
    "HoldTree": walls.hold_tree,
    "MakeDevice": walls.make_device,
    "MakeLink": walls.make_link,
    "OpenConsole": walls.open_console,
    "RaiseLoopback": walls.raise_loopback,
    "PivotRoot": walls.pivot_root,
    "ReopenStreams": walls.reopen_streams,
    "RemountReadonly": walls.remount_readonly,
    "MakeReadonly": walls.make_readonly,
    "Mask": walls.mask,
    "SetHostname": walls.set_hostname,
    "WriteSysctl": walls.write_sysctl,
    "SetUmask": walls.set_umask,
    "LimitResource": walls.limit_resource,
    "AdjustOomScore": walls.adjust_oom_score,
    "AnnounceReady": walls.announce_ready,
    "CloseDescriptors": powers.close_descriptors,
    "ChangeDirectory": powers.change_directory,
    "DropBoundingSet": powers.drop_bounding_set,
    "BecomeUser": powers.become_user,
    "SetCapabilities": powers.set_capabilities,
    "ForbidNewPrivileges": powers.forbid_new_privileges,
    "InstallSeccomp": powers.install_seccomp,
    "Execute": powers.execute,
}
