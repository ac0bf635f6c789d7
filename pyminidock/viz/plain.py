"""What you would type to get the same effect without an engine.

The lines of one start, pasted in their order into a root shell, make a container by hand.
They lean on each other as the calls do: the overlay options wait in $OVERLAY until the
tree is attached, and from then on every path is relative, because the shell stands at the
new root, before `pivot_root` and after it.  Where a process has to change itself, the
shell executes itself again with the change (`exec unshare --net sh`), for it is the shell
that will become the container.

Where plain Linux has no command the answer is "": nobody can type "forget that I may be
traced".  And once the root has been pivoted only the tools of the image are left, which
is one reason why engines make these calls themselves.

Source: man 8 mount, mknod, pivot_root, ip-link; man 1 unshare, nsenter, setpriv, prlimit,
keyctl, capsh; Documentation/filesystems/overlayfs for the escapes.
"""

import shlex
from collections.abc import Iterable

from pyminidock import events
from pyminidock.events import Event
from pyminidock.viz.plaincables import plain_cable
from pyminidock.viz.plainrules import plain_rule

_UNSHARE = {"network": "net"}  # other kinds: the option has the name of the namespace
_OVERLAY_ESCAPES = str.maketrans({"\\": r"\\", ":": r"\:", ",": r"\,"})


def plain_linux(event: Event) -> str:
    """Give the shell command with the effect of `event`, "" where there is none.

    Feed it the redacted event: what `event` says is what the command will say.  A name
    that holds a line break or another control character has no line to paste, so "" too.

    >>> plain_linux(events.HostnameSet("web"))
    'hostname web'
    >>> plain_linux(events.DeviceMade("/dev/null", 1, 3, 0o666))
    'mknod -m 0666 ./dev/null c 1 3'
    >>> plain_linux(events.TracersRefused())
    ''
    """
    line = _around(event) or _process(event) or _tree(event) or _powers(event)
    line = line or plain_cable(event) or plain_rule(event)
    return line if line.isprintable() else ""


def _around(event: Event) -> str:
    """Accounts for resources: directories and files on the host."""
    match event:
        case events.CgroupCreated(path):
            return f"mkdir -p {_quoted(path)}"
        case events.CgroupLimited(path, file, value):
            return f"echo {_quoted(value)} > {_quoted(f'{path}/{file}')}"
        case events.CgroupJoined(path):
            return f"echo $$ > {_quoted(f'{path}/cgroup.procs')}"
        case events.CgroupRemoved(path):
            return f"rmdir {_quoted(path)}"
        case events.ContainerWrote(_, upper):
            return f"find {_quoted(upper)} -mindepth 1 -ls"
    return ""


def _process(event: Event) -> str:  # noqa: PLR0911, PLR0912  (one line per fact)
    """Namespaces, and what a process asks for itself."""
    match event:
        case events.NamespaceEntered(namespace, was_joined, of):
            option = _UNSHARE.get(namespace, namespace)
            if was_joined:
                # Into a PID namespace without a fork: InitForked is the fork.
                stay = " --no-fork" if namespace == "pid" else ""
                return f"exec nsenter --target {of} --{option}{stay} sh" if of else ""
            if namespace == "mount":  # the mounts keep spreading until PropagationSet
                return "exec unshare --mount --propagation unchanged sh"
            if namespace == "user":
                return "exec unshare --user --map-root-user sh"
            return f"exec unshare --{option} sh"
        case events.InitForked():
            return "sh"  # a child of this shell: the first one in its PID namespace
        case events.ParentDeathBound():
            return "exec setpriv --pdeathsig KILL sh"
        case events.KeyringJoined(name):
            return f"exec keyctl session {_quoted(name)} sh"
        case events.HostnameSet(hostname):
            return f"hostname {_quoted(hostname)}"
        case events.SysctlWritten(key, value):
            return f"sysctl -w {_quoted(f'{key}={value}')}"
        case events.LoopbackRaised():
            return "ip link set lo up"
        case events.UmaskSet(mask):
            return f"umask {mask:04o}"
        case events.ResourceLimited(resource, soft, hard, _):
            limits = f"{_limit(soft)}:{_limit(hard)}"
            return f"prlimit --pid $$ --{resource}={limits}"
        case events.OomScoreAdjusted(score):
            return f"echo {score} > /proc/self/oom_score_adj"
        case events.IsolationObserved(_, pid):
            asked = "'^(Cap|Seccomp|NoNewPrivs|Uid|Gid)'"
            return f"ls -l /proc/{pid}/ns && grep -E {asked} /proc/{pid}/status"
    return ""


def _tree(event: Event) -> str:  # noqa: PLR0911, PLR0912  (one line per fact)
    """The root and everything that is mounted or made below it."""
    match event:
        case events.OverlayPrepared(lower, upper, work, flags):
            said = ",".join((_overlay_options(lower, upper, work), *flags))
            return f"export OVERLAY={_quoted(said)}"
        case events.PropagationSet(target, propagation, is_recursive):
            depth = "r" if is_recursive else ""
            return f"mount --make-{depth}{propagation} {_quoted(target)}"
        case events.RootAttached(target):
            place = _quoted(target)
            return f'mount -t overlay overlay -o "$OVERLAY" {place} && cd {place}'
        case events.Mounted(filesystem, source, target, flags, options):
            here = _here(target)
            said = _options(*flags, options)
            kind = _quoted(filesystem)
            return f"mkdir -p {here} && mount -t {kind}{said} {_quoted(source)} {here}"
        case events.BindMounted(source, target, flags, propagation):
            spread = (
                f" && mount --make-{propagation} {_here(target)}" if propagation else ""
            )
            return _bind(source, target, flags) + spread
        case events.DirectoryMade(path, mode):
            return f"mkdir -p -m {mode:04o} {_here(path)}"
        case events.DeviceMade():
            return _device(event)
        case events.LinkMade(path, points_to):
            return f"ln -s {_quoted(points_to)} {_here(path)}"
        case events.RootPivoted():
            return "pivot_root . . && umount -l . && cd /"
        case events.RemountedReadonly(target):
            return f"mount -o remount,bind,ro {_here(target)}"
        case events.PathMadeReadonly(path, True):
            here = _here(path)
            return f"mount --bind {here} {here} && mount -o remount,bind,ro {here}"
        case events.PathMasked(path, "null"):
            return f"mount --bind ./dev/null {_here(path)}"
        case events.PathMasked(path, "empty directory"):
            options = "ro,nr_blocks=1,nr_inodes=1"
            return f"mount -t tmpfs -o {options} tmpfs {_here(path)}"
    return ""


def _powers(event: Event) -> str:  # noqa: PLR0911  (one line per fact)
    """What the program may do, who it is, and the program."""
    match event:
        case events.WorkingDirectoryEntered(path):
            return f"cd {_quoted(path)}"
        case events.BoundingSetDropped(kept):
            names = ",".join(["-all", *(f"+{_short(name)}" for name in kept)])
            return f"exec setpriv --bounding-set={names} sh"
        case events.UserTaken(uid, gid, groups):
            listed = ",".join(map(str, groups))
            groups_said = f"--groups={listed}" if groups else "--clear-groups"
            return f"exec setpriv --reuid={uid} --regid={gid} {groups_said} sh"
        case events.CapabilitiesSet(capabilities):
            names = ",".join(f"cap_{_short(name)}" for name in capabilities)
            held = _quoted(f"{names}=ep" if names else "=")
            return f"exec capsh --shell=/bin/sh --caps={held} --"
        case events.NewPrivilegesForbidden():
            return "exec setpriv --no-new-privs sh"
        case events.ProgramExecuted(argv) | events.ProgramNotExecuted(argv) if argv:
            return f"exec {shlex.join(argv)}"
    return ""


def _bind(source: str, target: str, flags: Iterable[str]) -> str:
    """Bind, after making a missing target in the likeness of its source."""
    there, here = _quoted(source), _here(target)
    likeness = (
        f"[ -e {here} ] || if [ -d {there} ]; then mkdir -p {here}; "
        f"else install -D -m 644 /dev/null {here}; fi"
    )
    return f"{likeness}; mount --bind{_options(*flags)} {there} {here}"


def _device(event: events.DeviceMade) -> str:
    """Make a node, and give it to its owner where that is not root."""
    here, letter = _here(event.path), "b" if event.is_block else "c"
    made = f"mknod -m {event.mode:04o} {here} {letter} {event.major} {event.minor}"
    owner = f" && chown {event.uid}:{event.gid} {here}" if event.uid or event.gid else ""
    return made + owner


def _overlay_options(lower: Iterable[str], upper: str, work: str) -> str:
    """Spell an overlay for mount(8): a colon, comma or backslash of a path is escaped."""
    below = ":".join(path.translate(_OVERLAY_ESCAPES) for path in lower)
    if not upper:
        return f"lowerdir={below}"
    above = f"upperdir={upper.translate(_OVERLAY_ESCAPES)}"
    return f"lowerdir={below},{above},workdir={work.translate(_OVERLAY_ESCAPES)}"


def _options(*words: str) -> str:
    said = ",".join(word for word in words if word)
    return f" -o {_quoted(said)}" if said else ""


def _here(path: str) -> str:
    """Name a path of the container from a shell that stands at the container's root."""
    inside = path.strip("/")
    return _quoted(f"./{inside}") if inside else "."


def _short(capability: str) -> str:
    return capability.lower().removeprefix("cap_")


def _limit(number: int) -> str:
    return "unlimited" if number < 0 else str(number)


def _quoted(text: str) -> str:
    return shlex.quote(text)
