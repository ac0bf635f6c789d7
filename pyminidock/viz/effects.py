"""What each effect leaves behind: in the container's tree, or on the process.

Mounts form a table, as /proc/PID/mountinfo does: a mount on a path that has one already
hides it, and a remount changes the one that is seen.  What a process gave up or was
limited to is a *trait*: a name, a value, and how we know.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from pyminidock import events as e
from pyminidock.viz.things import Cgroup, Container, Made, MountPoint, Root, bounded

TreeEvent = (
    e.CgroupCreated | e.CgroupLimited | e.DevicesFiltered | e.CgroupRemoved
    | e.OverlayPrepared | e.RootAttached | e.RootPivoted | e.Mounted | e.BindMounted
    | e.RemountedReadonly | e.PathMadeReadonly | e.PathMasked | e.DirectoryMade
    | e.DeviceMade | e.LinkMade | e.ConsoleOpened | e.HostnameSet | e.SysctlWritten
    | e.LoopbackRaised
)  # fmt: skip
TraitEvent = (
    e.TracersRefused | e.ParentDeathBound | e.KeyringJoined | e.PropagationSet
    | e.StreamsReopened | e.UmaskSet | e.ResourceLimited | e.OomScoreAdjusted
    | e.BirthReady | e.DescriptorsClosed | e.WorkingDirectoryEntered
    | e.BoundingSetDropped | e.UserTaken | e.CapabilitiesSet | e.NewPrivilegesForbidden
    | e.SeccompInstalled
)  # fmt: skip


def tree_after(  # noqa: PLR0911  (one line per fact)
    container: Container, seq: int, event: TreeEvent
) -> Container:
    """Give the container after an effect on its root, its mounts or its account."""
    match event:
        case (
            e.CgroupCreated() | e.CgroupLimited() | e.DevicesFiltered() | e.CgroupRemoved()
        ):  # fmt: skip
            cgroups = _accounts(container.cgroups, seq, event)
            return replace(container, cgroups=cgroups)
        case e.OverlayPrepared() | e.RootAttached() | e.RootPivoted():
            return _root(container, seq, event)
        case e.Mounted() | e.BindMounted() | e.PathMadeReadonly() | e.PathMasked():
            return replace(container, mounts=_mounted(container.mounts, seq, event))
        case e.RemountedReadonly(target):
            mounts = _readonly(container.mounts, seq, target)
            return replace(container, mounts=mounts)
        case e.DirectoryMade() | e.DeviceMade() | e.LinkMade() | e.ConsoleOpened():
            made = Made(*_made(event), seq)
            made_here = bounded(container.made, event.path, made)
            return replace(_with_console(container, seq, event), made=made_here)
        case e.HostnameSet(hostname):
            return _setting(container, "hostname", hostname)
        case e.SysctlWritten(key, value):
            return _setting(container, key, value)
        case e.LoopbackRaised():
            return _setting(container, "lo", "up")
        case _:
            assert_never(event)


def _with_console(container: Container, seq: int, event: TreeEvent) -> Container:
    """The console of a birth is hung up; an exec leaves the container's alone."""
    if not isinstance(event, e.ConsoleOpened) or container.state in ("running", "paused"):
        return container
    path = event.path
    mount = MountPoint(path, "console", "devpts", "devpts", seq, seq)
    mounts = bounded(container.mounts, _free_key(container.mounts, path), mount)
    return replace(container, mounts=mounts)


def _setting(container: Container, key: str, value: str) -> Container:
    settings = dict(sorted({**container.settings, key: value}.items())[:64])
    return replace(container, settings=settings)


def _root(
    container: Container,
    seq: int,
    event: e.OverlayPrepared | e.RootAttached | e.RootPivoted,
) -> Container:
    """Follow the tree: stacked, hung up, made the root."""
    root = container.root
    match event:
        case e.OverlayPrepared(lower, upper, work):
            return replace(container, root=Root("prepared", lower, upper, work, "", seq))
        case e.RootAttached(target):
            mount = MountPoint("/", "root", "overlay", "overlay", seq, seq)
            return replace(
                container,
                root=replace(root, state="attached", target=target, changed=seq),
                mounts=bounded(container.mounts, "/", mount),
            )
        case e.RootPivoted():
            return replace(container, root=replace(root, state="pivoted", changed=seq))
        case _:
            assert_never(event)


def _mounted(
    mounts: Mapping[str, MountPoint],
    seq: int,
    event: e.Mounted | e.BindMounted | e.PathMadeReadonly | e.PathMasked,
) -> Mapping[str, MountPoint]:
    """Add a mount; on a path that has one, the older is hidden and keeps its line."""
    match event:
        case e.Mounted(filesystem, source, target, flags, options):
            new = MountPoint(
                target, "new", source, filesystem, seq, seq, flags, options, "ro" in flags
            )
        case e.BindMounted(source, target, flags, _):
            new = MountPoint(target, "bind", source, "", seq, seq, flags, "", "ro" in flags)
        case e.PathMadeReadonly(path, was_present):
            if not was_present:
                return mounts
            what = "read-only path"
            new = MountPoint(path, what, path, "", seq, seq, is_readonly=True)
        case e.PathMasked(path, by):
            if by == "absent":
                return mounts
            is_empty = by == "empty directory"  # the other one is the device, as it is
            filesystem = "tmpfs" if is_empty else ""
            new = MountPoint(path, "mask", by, filesystem, seq, seq, is_readonly=is_empty)
        case _:
            assert_never(event)
    return bounded(mounts, _free_key(mounts, new.target), new)


def _free_key(mounts: Mapping[str, MountPoint], target: str) -> str:
    key, covers = target, 1
    while key in mounts:
        covers += 1
        key = f"{target} ({covers})"
    return key


def _readonly(
    mounts: Mapping[str, MountPoint], seq: int, target: str
) -> Mapping[str, MountPoint]:
    """Close the mount that is seen at `target`: the newest there."""
    there = [key for key, mount in mounts.items() if mount.target == target]
    if not there:
        return mounts
    seen = max(there, key=lambda key: mounts[key].order)
    return {**mounts, seen: replace(mounts[seen], is_readonly=True, changed=seq)}


def _made(
    event: e.DirectoryMade | e.DeviceMade | e.LinkMade | e.ConsoleOpened,
) -> tuple[str, str]:
    """Say what was made, and the detail that tells it from its likes."""
    match event:
        case e.DirectoryMade(_, mode):
            return "directory", f"{mode:04o}"
        case e.DeviceMade(_, major, minor, mode, is_block):
            return "device", f"{'b' if is_block else 'c'} {major}:{minor} {mode:04o}"
        case e.LinkMade(_, points_to):
            return "link", points_to
        case e.ConsoleOpened():
            return "console", "a terminal of the container's devpts"
        case _:
            assert_never(event)


def _accounts(
    cgroups: Mapping[str, Cgroup],
    seq: int,
    event: e.CgroupCreated | e.CgroupLimited | e.DevicesFiltered | e.CgroupRemoved,
) -> Mapping[str, Cgroup]:
    """Open an account, write a budget, close it."""
    old = cgroups.get(event.path, Cgroup(event.path, seq, seq))
    match event:
        case e.CgroupCreated(path):
            return bounded(cgroups, path, old)
        case e.DevicesFiltered(path, instructions):
            limits = {**old.limits, "devices": f"by {instructions} instructions"}
            return bounded(cgroups, path, replace(old, limits=limits, changed=seq))
        case e.CgroupLimited(path, file, value):
            if file in _LISTS and file in old.limits:  # each line adds a rule
                value = f"{old.limits[file]}, {value}"[:_LONGEST_LIST]
            limits = dict(sorted({**old.limits, file: value}.items())[:64])
            return bounded(cgroups, path, replace(old, limits=limits, changed=seq))
        case e.CgroupRemoved(path):
            return {key: each for key, each in cgroups.items() if key != path}
        case _:
            assert_never(event)


_LISTS = ("devices.allow", "devices.deny")
_LONGEST_LIST = 1024


def trait_of(event: TraitEvent) -> tuple[str, str]:  # noqa: PLR0911, PLR0912  (a table)
    """Name the trait that an effect gives a process, and its value."""
    match event:
        case e.TracersRefused():
            return "tracers", "refused"
        case e.ParentDeathBound():
            return "dies with shim", "yes"
        case e.KeyringJoined(_, has_keys):
            return "session keyring", "its own, empty" if has_keys else "no keys here"
        case e.PropagationSet(target, propagation, _):
            return f"mounts of {target.rpartition('/')[2] or '/'}", propagation
        case e.StreamsReopened():
            return "standard streams", "no host file"
        case e.UmaskSet(mask):
            return "umask", f"{mask:04o}"
        case e.ResourceLimited(resource, soft, hard, was_clamped):
            said = f"{_limit(soft)} of {_limit(hard)}"
            return f"limit {resource}", f"{said} (clamped)" if was_clamped else said
        case e.OomScoreAdjusted(score, was_refused):
            return "oom score", f"{score:+d} (refused)" if was_refused else f"{score:+d}"
        case e.BirthReady():
            return "ready", "reported"
        case e.DescriptorsClosed():
            return "descriptors", "only 0, 1, 2"
        case e.WorkingDirectoryEntered(path):
            return "working directory", path
        case e.BoundingSetDropped(kept):
            return "bounding set", _capabilities(kept)
        case e.UserTaken(uid, gid, groups):
            listed = ",".join(map(str, groups))
            return "user", f"{uid}:{gid}" + (f" groups {listed}" if listed else "")
        case e.CapabilitiesSet(capabilities):
            return "capabilities", _capabilities(capabilities)
        case e.NewPrivilegesForbidden():
            return "new privileges", "forbidden"
        case e.SeccompInstalled(instructions):
            return "system calls", f"filter of {instructions}"
        case _:
            assert_never(event)


def _limit(number: int) -> str:
    return "unlimited" if number < 0 else str(number)


def _capabilities(names: tuple[str, ...]) -> str:
    if not names:
        return "none"
    return f"{len(names)}: " + " ".join(name.removeprefix("CAP_").lower() for name in names)
