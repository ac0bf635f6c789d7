"""A failed call in Docker's words, with Docker's numbers, and a command that works."""

import errno

import pytest

from pyminidock.container.refusals import EXEC, START, advice, exec_refusal, start_refusal
from pyminidock.container.spec import ExecRequest
from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call
from pyminidock.kernel.port import CallFailed
from tests.container.test_resolve import second
from tests.container.wishes import decide, wish


def failed(call: Call, number: int, value: int = 0) -> CallFailed:
    return CallFailed("what the body said", why="why", try_next="minidock doctor",
                      index=7, call=call, errno=number, value=value)  # fmt: skip


def execute(name: str) -> calls.Execute:
    return calls.Execute((name,), ())


@pytest.mark.parametrize(
    ("failure", "words", "code", "status"),
    [
        (failed(execute("/nonexist"), errno.ENOENT),
         'exec: "/nonexist": stat /nonexist: no such file or directory: unknown', 127, 400),
        (failed(execute("nonexist"), errno.ENOENT, 1),
         'exec: "nonexist": executable file not found in $PATH: unknown', 127, 400),
        (failed(execute(""), errno.ENOENT, 1),
         'exec: "": executable file not found in $PATH: unknown', 127, 400),
        (failed(execute("/notexec"), errno.EACCES),
         'exec: "/notexec": permission denied: unknown', 126, 400),
        (failed(execute("/dirx"), errno.EISDIR),
         'exec: "/dirx": is a directory: unknown: permission denied', 126, 400),
        (failed(execute("/x"), errno.ENOEXEC),
         'exec: "/x": exec format error: unknown', 126, 400),
        (failed(execute("/x"), errno.E2BIG),
         'exec: "/x": argument list too long: unknown', 128, 500),
        (failed(calls.ChangeDirectory("/no"), errno.ENOENT),
         'chdir to cwd ("/no") set in config.json failed: no such file or directory: '
         "unknown", 127, 400),
        (failed(calls.ChangeDirectory("/proc/self/fd/7"), errno.EXDEV),
         "current working directory is outside of container mount namespace root -- "
         "possible container breakout detected: unknown", 128, 500),
        (failed(calls.Mount("proc", "proc", "/proc", (), "", True), errno.ENOTDIR),
         'error during container init: error mounting "proc" to rootfs at "/proc": '
         'filesystem "proc" must be mounted on '
         "ordinary directory: unknown", 128, 500),
        (failed(calls.Bind("/a", "/b"), errno.ENOTDIR),
         'error during container init: error mounting "/a" to rootfs at "/b": '
         "not a directory: unknown: Are you trying "
         "to mount a directory onto a file (or vice-versa)? Check if the specified host "
         "path exists and is the expected type", 127, 400),
        (failed(calls.LimitCgroup("/cg", "pids.max", "x"), errno.EINVAL),
         "error during container init: error setting cgroup config for procHooks process: "
         'failed to write "x": write /cg/pids.max: invalid argument: unknown', 128, 500),
        (failed(calls.FilterDevices("/cg", b""), errno.EPERM),
         "error during container init: error setting cgroup config for procHooks process: "
         "failed to load the device program: operation not permitted: unknown", 128, 500),
        (failed(calls.SetHostname("x" * 70), errno.EINVAL),
         "error during container init: sethostname: invalid argument: unknown", 128, 500),
        (failed(calls.LimitResource("nofile", 9, 9), errno.EPERM),
         "error during container init: error setting rlimits for ready process: error "
         "setting rlimit type nofile: operation not permitted: unknown", 128, 500),
        (failed(calls.PivotRoot(), errno.EINVAL), "what the body said: unknown", 128, 500),
    ],
)  # fmt: skip
def test_a_failed_start_in_docker_s_words(
    failure: CallFailed, words: str, code: int, status: int
) -> None:
    assert start_refusal(failure, decide()) == (START + words, code, status)


def test_a_working_directory_that_is_a_file() -> None:
    spec = decide(wish(working_directory="/etc/passwd"))
    failure = failed(calls.MakeDirectory("/etc/passwd"), errno.ENOTDIR)
    assert start_refusal(failure, spec) == (
        "Cannot mkdir: /etc/passwd is not a directory", 128, 500,
    )  # fmt: skip
    assert advice(failure, spec)[1] == "minidock run --rm --workdir /etc busybox pwd"


@pytest.mark.parametrize(
    ("number", "status"),
    [(errno.ENOENT, 400), (errno.EACCES, 400), (errno.EIO, 500)],
)
def test_an_exec_that_cannot_start_ends_with_126(number: int, status: int) -> None:
    failure = failed(execute("/x"), number)
    message, code, http = exec_refusal(failure, second(ExecRequest(("/x",))))
    assert message.startswith(f'{EXEC}exec: "/x": ')
    assert (code, http) == (126, status)


@pytest.mark.parametrize(
    ("failure", "command"),
    [
        (failed(execute("ehco"), errno.ENOENT, 1), "minidock run --rm busybox ls /bin"),
        (failed(execute("/a b"), errno.EACCES), "minidock run --rm busybox ls -l '/a b'"),
        (failed(execute("/usr"), errno.EISDIR), "minidock run --rm busybox ls -l /usr"),
        (failed(execute("/x"), errno.ENOEXEC), "minidock run --rm busybox sh /x"),
        (failed(calls.PivotRoot(), errno.EINVAL), "minidock doctor"),
    ],
)
def test_the_advice_is_a_command_in_the_same_root(
    failure: CallFailed, command: str
) -> None:
    why, try_next = advice(failure, decide())
    assert try_next == command
    assert why


def test_a_device_program_that_is_refused_tells_what_it_would_have_kept_shut() -> None:
    failure = failed(calls.FilterDevices("/cg", b""), errno.EPERM)
    why, try_next = advice(failure, decide())
    assert "any disk of the host" in why
    assert "CAP_SYS_ADMIN" in why
    assert try_next == "minidock doctor"
