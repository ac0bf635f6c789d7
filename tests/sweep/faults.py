"""Which errors a call may meet: the errnos of its manual page, and the machine being full.

Source: man 2 of each call; hardening.md G.4.
"""

import errno
from collections.abc import Iterator

from pyminidock.kernel import calls, netcalls, portcalls, rules
from pyminidock.kernel.calls import Call, Plan

_FULL = (errno.ENOMEM, errno.EPERM)
_PATH = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.EROFS, errno.ENOSPC)
_OF: dict[type[Call], tuple[int, ...]] = {
    calls.MakeCgroup: (errno.EROFS, errno.ENOSPC, errno.EAGAIN),
    calls.LimitCgroup: (errno.EINVAL, errno.ENOENT, errno.EBUSY, errno.EIO),
    calls.FilterDevices: (errno.ENOSYS, errno.EINVAL, errno.EBADF, errno.E2BIG),
    calls.RemoveCgroup: (errno.EBUSY,),
    calls.PrepareOverlay: (errno.ENOSYS, errno.EINVAL, errno.ESTALE, errno.EBUSY),
    calls.ForkShim: (errno.EAGAIN,),
    calls.ForkInit: (errno.EAGAIN,),
    calls.EnterNamespace: (errno.ENOSPC, errno.EINVAL),
    calls.JoinNamespace: (errno.ESRCH, errno.EINVAL),
    calls.BorrowTree: (errno.ESRCH, errno.ENOENT, errno.EINVAL, errno.EMFILE),
    calls.JoinCgroup: (errno.EBUSY, errno.ENODEV),
    calls.JoinKeyring: (errno.EDQUOT,),
    calls.AttachRoot: (errno.EINVAL, errno.EBUSY),
    calls.Mount: (errno.ENODEV, errno.EBUSY, errno.EINVAL, *_PATH),
    calls.Bind: (errno.EINVAL, *_PATH),
    calls.MakeDirectory: _PATH,
    calls.MakeDevice: (errno.EEXIST, *_PATH),
    calls.MakeLink: (errno.EEXIST, *_PATH),
    calls.OpenConsole: (errno.ENOSPC, errno.EIO),
    calls.PivotRoot: (errno.EINVAL, errno.EBUSY),
    calls.Mask: _PATH,
    calls.MakeReadonly: _PATH,
    calls.LimitResource: (errno.EINVAL,),
    calls.InstallSeccomp: (errno.EACCES, errno.EINVAL, errno.EFAULT),
    calls.BecomeUser: (errno.EINVAL, errno.EAGAIN),
    calls.ChangeDirectory: _PATH,
    netcalls.MakeBridge: (errno.EEXIST, errno.EOPNOTSUPP, errno.EINVAL),
    netcalls.MakeSandbox: (errno.ENOSPC,),
    netcalls.FindSandbox: (errno.ENOENT, errno.ESRCH, errno.EMFILE),
    netcalls.JoinSandbox: (errno.EBADF, errno.EINVAL),
    netcalls.Plug: (errno.EEXIST, errno.ENODEV, errno.ENETUNREACH, errno.EXFULL),
    netcalls.Route: (errno.ENETUNREACH,),
    netcalls.OpenNames: (errno.EMFILE, errno.EADDRINUSE),
    rules.MakeTable: (errno.EOPNOTSUPP, errno.ENOENT),
    rules.AddElements: (errno.EEXIST, errno.ENOENT),
    portcalls.BindPort: (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES),
    calls.Execute: (errno.ENOENT, errno.EACCES, errno.E2BIG, errno.ETXTBSY, errno.EIO),
}


def plausible(call: Call) -> tuple[int, ...]:
    """Give the errnos that a call of this kind may meet."""
    return tuple(dict.fromkeys((*_FULL, *_OF.get(type(call), ()))))


def every_fault(plan: Plan) -> Iterator[tuple[int, int]]:
    """Yield (index, errno) for each call of `plan` and each error that it may meet."""
    for index, call in enumerate(plan):
        for code in plausible(call):
            yield index, code
