"""What each verb of a plan does to the world: one line per verb, no verb left out.

`apply` is pure: the same stage and call give the same next stage, or the same refusal,
which is an OSError with the errno that Linux would give.
"""

import errno
from dataclasses import replace
from typing import assert_never

from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call
from pyminidock.kernel.model import (
    budgets,
    cables,
    devices,
    mounts,
    powers,
    sifting,
    tasks,
)
from pyminidock.kernel.model.stage import Stage, act
from pyminidock.kernel.netcalls import JoinSandbox, NetCall
from pyminidock.kernel.port import Machine
from pyminidock.kernel.portcalls import SiftCall

_OF_ENGINE = (calls.MakeCgroup, calls.LimitCgroup, calls.FilterDevices,
              calls.RemoveCgroup, calls.PrepareOverlay, calls.ForkShim)  # fmt: skip
_OF_SHIM = (calls.EnterNamespace, calls.JoinNamespace, calls.BorrowTree,
            calls.JoinCgroup, calls.ForkInit)  # fmt: skip
_NEVER_OF_CHILD = (*_OF_ENGINE, calls.ForkInit, calls.JoinNamespace, calls.BorrowTree)


def apply(stage: Stage, machine: Machine, call: Call) -> Stage:
    """Take one step; the stage's `value` answers it.

    Raises OSError: EINVAL for a call in the wrong hands (see `calls`), else as Linux.
    """
    match stage.task.role:
        case "engine":
            is_theirs = isinstance(call, _OF_ENGINE) or _is_wiring(call)
        case "shim" | "usher":
            is_theirs = isinstance(call, _OF_SHIM)
        case role:
            is_theirs = role == "newborn" and not (
                isinstance(call, _NEVER_OF_CHILD) or _is_wiring(call)
            )
    if not is_theirs:
        raise OSError(errno.EINVAL, f"this is not for the {stage.task.role} to do")
    return _effect(replace(stage, value=0), machine, call)


def _is_wiring(call: Call) -> bool:
    """Say whether a call is about networks, and the engine's to make."""
    return isinstance(call, NetCall | SiftCall) and not isinstance(call, JoinSandbox)


def _effect(stage: Stage, machine: Machine, call: Call) -> Stage:  # noqa: PLR0911, PLR0912
    if isinstance(call, NetCall):
        return cables.wire(stage, call)
    if isinstance(call, SiftCall):
        return sifting.sift(stage, call)
    match call:
        case calls.MakeCgroup(path):
            return budgets.make_cgroup(stage, machine, path)
        case calls.LimitCgroup():
            return budgets.limit_cgroup(stage, machine, call)
        case calls.FilterDevices():
            return budgets.filter_devices(stage, machine, call)
        case calls.RemoveCgroup(path):
            return budgets.remove_cgroup(stage, path)
        case calls.PrepareOverlay():
            return mounts.prepare(stage, call)
        case calls.ForkShim():
            return tasks.fork_shim(stage, call)
        case calls.EnterNamespace(namespace):
            return tasks.enter_namespace(stage, namespace)
        case calls.JoinNamespace():
            return tasks.join_namespace(stage, call)
        case calls.ForkInit():
            return tasks.fork_init(stage)
        case calls.JoinCgroup(path):
            return budgets.join_cgroup(tasks.ushered(stage), machine, path)
        case calls.RefuseTracers():
            return act(stage, replace(stage.task, is_dumpable=False))
        case calls.DieWithParent():
            return act(stage, replace(stage.task, dies_with_parent=True))
        case calls.JoinKeyring(name):
            return tasks.join_keyring(stage, name)
        case calls.SetPropagation():
            return mounts.set_propagation(stage, call)
        case calls.AttachRoot():
            return mounts.attach_root(stage, call)
        case calls.MakeDirectory(path, mode):
            return mounts.make_directory(stage, path, mode)
        case calls.Mount():
            return mounts.mount(stage, call)
        case calls.Bind():
            return mounts.bind(stage, call)
        case calls.HoldTree():
            return mounts.hold_tree(stage, call)
        case calls.BorrowTree():
            return mounts.borrow_tree(tasks.ushered(stage), call)
        case calls.MakeDevice():
            return devices.make_device(stage, call)
        case calls.MakeLink():
            return devices.make_link(stage, call)
        case calls.OpenConsole():
            return devices.open_console(stage, call)
        case calls.RaiseLoopback():
            return tasks.raise_loopback(stage)
        case calls.PivotRoot():
            return mounts.pivot_root(stage)
        case calls.ReopenStreams():
            return tasks.reopen_streams(stage)
        case calls.RemountReadonly():
            return mounts.remount_readonly(stage, call)
        case calls.MakeReadonly():
            return mounts.make_readonly(stage, call)
        case calls.Mask():
            return mounts.mask(stage, call)
        case calls.SetHostname(hostname):
            return tasks.set_hostname(stage, hostname)
        case calls.WriteSysctl():
            return tasks.write_sysctl(stage, call)
        case calls.SetUmask(mask):
            return act(stage, replace(stage.task, umask=mask & 0o777))
        case calls.LimitResource():
            return budgets.limit_resource(stage, call)
        case calls.AdjustOomScore(score):
            return budgets.adjust_oom_score(stage, score)
        case calls.AnnounceReady():
            return tasks.announce_ready(stage)
        case calls.CloseDescriptors():
            return tasks.close_descriptors(stage)
        case calls.ChangeDirectory(path):
            return tasks.change_directory(stage, path)
        case calls.DropBoundingSet(kept):
            return powers.drop_bounding_set(stage, kept, machine.last_capability)
        case calls.BecomeUser():
            return powers.become_user(stage, call)
        case calls.SetCapabilities(capabilities):
            return powers.set_capabilities(stage, capabilities)
        case calls.ForbidNewPrivileges():
            return act(stage, replace(stage.task, no_new_privileges=True))
        case calls.InstallSeccomp(program):
            return powers.install_seccomp(stage, program)
        case calls.Execute():
            return tasks.execute(stage, call)
        case _:
            assert_never(call)
