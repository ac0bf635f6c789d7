"""A start that failed, in the words that Docker's clients wait for.

The kernel says which call it refused and a number.  Docker's daemon would have said a
sentence with two prefixes, an exit code and an HTTP status, and programs parse all three:

    found nothing          127   400    exec: "nope": executable file not found in $PATH
    may not run it         126   400    exec: "/etc/passwd": permission denied
    is a directory         126   400    exec: "/tmp": is a directory
    wrong kind of target   127   400    … not a directory … Are you trying to mount …
    anything else          128   500    whatever it was

Docker finds code and status by searching its own message for words.  We know the call, so
we decide first and word it after.  `advice` tells people why, with a command that works.

Source: moby, daemon/errors.go, translateContainerdStartErr(); measured with dockerd 26.1.5.
"""

import errno
import os
import posixpath
import shlex

from pyminidock.container.spec import ContainerSpec, ExecSpec
from pyminidock.kernel import calls
from pyminidock.kernel.port import CallFailed

START = (
    "failed to create task for container: failed to create shim task: OCI runtime create "
    "failed: runc create failed: unable to start container process: "
)
EXEC = "OCI runtime exec failed: exec failed: unable to start container process: "
_WRONG_KIND = (
    ": Are you trying to mount a directory onto a file (or vice-versa)? Check if the "
    "specified host path exists and is the expected type"
)
_INIT = "error during container init: "
_CGROUP = "error setting cgroup config for procHooks process: "
_RLIMITS = "error setting rlimits for ready process: "
_AT_OPEN = (errno.ENOENT, errno.EACCES, errno.EROFS)
_SEARCHED = 1  # CallFailed.value of an Execute that looked through PATH

_Words = tuple[str, int]  # Docker's core sentence, and the exit code


def start_refusal(failure: CallFailed, spec: ContainerSpec) -> tuple[str, int, int]:
    """Give Docker's message, the container's exit code and the HTTP status.

    The code is kept in the container's state: 126 and 127 as a shell uses them, 128 for a
    start that failed for another reason.
    """
    if isinstance(failure.call, calls.MakeDirectory) and failure.errno == errno.ENOTDIR:
        return f"Cannot mkdir: {spec.working_directory} is not a directory", 128, 500
    words, code = _words(failure)
    return f"{START}{words}: unknown{_end(words)}", code, _status(code)


def exec_refusal(failure: CallFailed, exec_spec: ExecSpec) -> tuple[str, int, int]:
    """Give Docker's message, the exec's exit code and the HTTP status.

    An exec that cannot start ends with 126 whatever the reason; clients depend on it.
    """
    words, code = _words(failure)
    return f"{EXEC}{words}: unknown{_end(words)}", 126, _status(code)


def _end(words: str) -> str:
    """Give what Docker's daemon hangs on to two of runc's sentences."""
    if words.endswith("is a directory"):
        return ": permission denied"
    return _WRONG_KIND if words.endswith("not a directory") else ""


def _status(code: int) -> int:
    return 400 if code in (126, 127) else 500


def _words(failure: CallFailed) -> _Words:  # noqa: PLR0911  (one sentence for each call)
    """Word what runc would have said, without its prefix."""
    reason = os.strerror(failure.errno).lower()
    match failure.call:
        case calls.Execute(argv, _):
            return _of_program(argv[0], failure)
        case calls.ChangeDirectory() if failure.errno == errno.EXDEV:
            return (
                "current working directory is outside of container mount namespace root -- "
                "possible container breakout detected", 128,
            )  # fmt: skip
        case calls.ChangeDirectory(path):
            return f'chdir to cwd ("{path}") set in config.json failed: {reason}', _code(
                failure.errno
            )
        case calls.Mount(filesystem, _, target, _, _, True):
            return (
                f'{_INIT}error mounting "{filesystem}" to rootfs at "{target}": filesystem '
                f'"{filesystem}" must be mounted on ordinary directory', 128,
            )  # fmt: skip
        case calls.Mount(_, source, target) | calls.Bind(source, target):
            return (
                f'{_INIT}error mounting "{source}" to rootfs at "{target}": {reason}',
                127 if failure.errno == errno.ENOTDIR else 128,
            )
        case calls.LimitCgroup(path, file, value):
            place = f"write {path}/{file}"
            return f'{_INIT}{_CGROUP}failed to write "{value}": {place}: {reason}', 128
        case calls.FilterDevices():
            return f"{_INIT}{_CGROUP}failed to load the device program: {reason}", 128
        case calls.LimitResource(name, _, _):
            return f"{_INIT}{_RLIMITS}error setting rlimit type {name}: {reason}", 128
        case calls.WriteSysctl(key, _):
            path = f"/proc/sys/{key.replace('.', '/')}"
            verb = "open" if failure.errno in _AT_OPEN else "write"
            return f"{_INIT}{verb} {path}: {reason}", 128
        case calls.SetHostname(_):
            return f"{_INIT}sethostname: {reason}", 128
    return failure.what, 128


def _of_program(name: str, failure: CallFailed) -> _Words:
    number = failure.errno
    if number == errno.ENOENT and (failure.value == _SEARCHED or "/" not in name):
        return f'exec: "{name}": executable file not found in $PATH', 127
    if number in (errno.ENOENT, errno.ENOTDIR):
        return f'exec: "{name}": stat {name}: {os.strerror(number).lower()}', 127
    if number == errno.EISDIR:
        return f'exec: "{name}": is a directory', 126
    return f'exec: "{name}": {os.strerror(number).lower()}', _code(number)


def _code(number: int) -> int:
    if number in (errno.ENOENT, errno.ENOTDIR):
        return 127
    return 126 if number in (errno.EACCES, errno.EISDIR, errno.ENOEXEC) else 128


def advice(failure: CallFailed, spec: ContainerSpec) -> tuple[str, str]:
    """Say why, and give a command that succeeds in the same root and shows what is there.

    What the kernel body knew stays, where there is nothing better to say.
    """

    def instead(*argv: str) -> str:
        return shlex.join(["minidock", "run", "--rm", spec.image, *argv])

    match failure.call:
        case calls.Execute(argv, _):
            return _about_program(
                argv[0], failure, look=instead("ls", "-l", argv[0]),
                run_by_shell=instead("sh", argv[0]), list_programs=instead("ls", "/bin"),
            )  # fmt: skip
        case calls.MakeDirectory(path) | calls.ChangeDirectory(path):
            above = posixpath.dirname(path) or "/"
            words = ["minidock", "run", "--rm", "--workdir", above, spec.image, "pwd"]
            return (
                f"{path} has to be a directory of the container: it is not there, or it "
                "or something on the way to it is a file",
                shlex.join(words),
            )
        case calls.FilterDevices():
            return (
                "with CAP_MKNOD a container can make a node for any disk of the host; on "
                "cgroup v2 only a BPF program keeps it from opening one, and loading it "
                "takes CAP_SYS_ADMIN and a kernel built with CONFIG_CGROUP_BPF",
                "minidock doctor",
            )
    return failure.why, failure.try_next


def _about_program(
    name: str, failure: CallFailed, *, look: str, run_by_shell: str, list_programs: str
) -> tuple[str, str]:
    match failure.errno:
        case errno.EISDIR:
            return "a directory can be listed, but not run", look
        case errno.EACCES:
            return (
                "a file runs only if its mode says x for the user who asks; a script can "
                f"be read by a shell instead: sh {name}",
                look,
            )
        case errno.ENOEXEC:
            return "the file is no program and names none in a first line #!…", run_by_shell
    where = "in the directories of PATH" if failure.value == _SEARCHED else "at that path"
    return (
        f"the program is looked for {where} in the container's root, where there is no "
        f"{name!r}",
        list_programs,
    )
