"""Words about the birth of a container, call by call."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

BIRTH: Mapping[str, Words] = {
    # ── before there is a process ────────────────────────────────────────────────────────
    "cgroup.created": (
        "An account for resources is opened: {account}",
        "Whoever is put into this group shares one budget, and is counted.",
        "mkdir(2) {path}",
    ),
    "cgroup.limited": (
        "A budget is set: {file} = {value}",
        "Written before anybody is in the group, so nothing in it ever runs unlimited.",
        "write(2) {value!r} to {path}/{file}",
    ),
    "cgroup.limited/freezer": (
        "All processes stand still, or go on: {file} = {value}",
        "The scheduler passes over who is frozen; no process can notice, or refuse.",
        "write(2) {value!r} to {path}/{file}",
    ),
    "cgroup.limited/device": (
        "Which devices may be used: {file} = {value}",
        "A device node is only a door; this list decides whether it opens.",
        "write(2) {value!r} to {path}/{file}",
    ),
    "devices.filtered": (
        "A program judges every device node from here on",
        "Whoever may make a node for the host's disk finds that it does not open.",
        "bpf(2) BPF_PROG_ATTACH, BPF_CGROUP_DEVICE: {instructions} instructions on {path}",
    ),
    "overlay.prepared": (
        "The image's layers and the writable one are stacked into one tree",
        "Nothing is copied: the kernel merges the directories whenever one is read.",
        "fsopen(2) overlay, fsconfig lowerdir={lower}, upperdir={upper}; fsmount(2)",
    ),
    "shim.forked": (
        "A small helper process starts: the shim",
        "It holds the program's input and output, so containers outlive the daemon.",
        "fork(2) → {pid}, ahead of need; setsid, PR_SET_CHILD_SUBREAPER",
    ),
    "namespace.entered": (
        "A new {namespace} namespace: {gain}",
        "{why}",
        "unshare(2) {flag}",
    ),
    "namespace.entered/pid": (
        "A new {namespace} namespace: {gain}",
        "{why}",
        "clone(2) {flag}: it comes with its first process, by one call",
    ),
    "namespace.entered/joined": (
        "Joined the container's {namespace} namespace",
        "An exec does not make walls, it steps behind those of the first process.",
        "setns(2) {flag}, the namespace of process {of}",
    ),
    "init.forked": (
        "The process that will become the program is born",
        "It is still our own code: what is left to do, it does from the inside.",
        "clone(2) → {pid} on the host; PID 1 inside if the PID namespace is new",
    ),
    # ── the newborn process ──────────────────────────────────────────────────────────────
    "cgroup.joined": (
        "The process is put under its budget: {account}",
        "From here every child it forks is counted with it, whatever it does.",
        "write(2) '0', which means itself, to {path}/{door}",
    ),
    "tracers.refused": (
        "Nobody may look into this process or take its files",
        "It still holds handles on the host while it is inside (see CVE-2016-9962).",
        "prctl(2) PR_SET_DUMPABLE (4), 0",
    ),
    "parent.death.bound": (
        "If the shim dies, this process dies with it",
        "A half-made container must never be left alone.",
        "prctl(2) PR_SET_PDEATHSIG (1), SIGKILL (9)",
    ),
    "keyring.joined": (
        "The process gets an empty key ring instead of the engine's",
        "Keys are not in any namespace: without this, a container could read ours.",
        "keyctl(2) KEYCTL_JOIN_SESSION_KEYRING (1) {name}",
    ),
    "keyring.joined/none": (
        "There is no key ring to take away: this kernel keeps no keys",
        "Where it does, a container could read the engine's; so the call is made anyway.",
        "keyctl(2) KEYCTL_JOIN_SESSION_KEYRING (1) {name}: ENOSYS",
    ),
    "propagation.set": (
        "Mounts made from here on stay in here ({target} is {propagation})",
        "Many systems share / by default; the container's mounts would appear on the host.",
        "mount_setattr(2) {target} {flag}",
    ),
    "propagation.set/private": (
        "Mounts at {target} travel nowhere",
        "pivot_root refuses a root whose parent hands mounts on.",
        "mount_setattr(2) {target} {flag}",
    ),
    "root.attached": (
        "The stacked tree is hung into the new mount namespace",
        "Only this process can see it: the host's mount table is unchanged.",
        "move_mount(2) → {target}",
    ),
    "mounted": (
        "Mounted at {target}: {what}",
        "{why}",
        "fsopen(2) {filesystem}, fsmount(2) ({options}), move_mount(2) → {target}",
    ),
    "bind.mounted": (
        "A file or directory of the host appears at {target}",
        "The same inode under a second name: no copy, so both sides see changes.",
        "open_tree(2) {source}, move_mount(2) → {target} ({options})",
    ),
    "bind.mounted/spreading": (
        "A tree of the host appears at {target}, and stays bound to it ({propagation})",
        "What the host mounts below it later is seen in here; if it is shared, what is "
        "mounted in here is seen there, too.",
        "open_tree(2) {source}, move_mount(2) → {target} ({options}), {propagation}",
    ),
    "tree.held": (
        "The host's tree {source} is held before the bond to the host is cut",
        "It shall go on sharing what is mounted below it; everything else shall not.",
        "open_tree(2) {source}",
    ),
    "directory.made": (
        "The directory {path} exists",
        "Made component by component below the root, so no symbolic link leads outside.",
        "mkdirat(2) {path} mode {mode:04o}",
    ),
    "device.made": (
        "The device {path} is made",
        "Only harmless ones: a container with the host's disk in /dev would own the host.",
        "mknodat(2) {path} {letter} {major}:{minor} mode {mode:04o}",
    ),
    "link.made": (
        "{path} leads to {points_to}",
        "Programs expect these names; they are links into places that exist already.",
        "symlinkat(2) {path} → {points_to}",
    ),
    "console.opened": (
        "The program gets a terminal of its own",
        "It comes from the container's devpts, so a program inside cannot reach ours.",
        "openat2(2) ptmx, ioctl TIOCGPTPEER (0x5441); at a birth move_mount(2) → {path}",
    ),
    "root.pivoted": (
        "The new tree becomes /; the host's files are out of reach",
        "Unlike chroot there is no way back: the old root is unmounted, not hidden.",
        "pivot_root(2) . . → {root}; umount2(2) MNT_DETACH (2)",
    ),
    "streams.reopened": (
        "/dev/null is opened again, inside",
        "An open file is a handle on the place it came from; none may lead to the host.",
        "openat(2) /dev/null (1:3), dup2(2) on each of 0 to 2 that was /dev/null",
    ),
    "remounted.readonly": (
        "Writing to {target} is refused from now on",
        "The other flags of the mount are kept: dropping one would loosen it.",
        "mount_setattr(2) {target} MOUNT_ATTR_RDONLY (1)",
    ),
    "path.made.readonly": (
        "{path} can be read but not changed",
        "These files are the kernel's own settings, and they are not all namespaced.",
        "open_tree(2) {path}, mount_setattr(2) MOUNT_ATTR_RDONLY, move_mount(2) over it",
    ),
    "path.made.readonly/absent": (
        "{path} does not exist here: nothing to protect",
        "The list is for all machines; what one does not have is passed over.",
        "openat2(2) {path} → ENOENT (2)",
    ),
    "path.masked": (
        "{path} is hidden",
        "It tells about the host, and no namespace covers it: so it is covered up.",
        "open_tree(2) /dev/null, move_mount(2) → {path}",
    ),
    "path.masked/directory": (
        "{path} is hidden",
        "Whoever looks finds an empty directory, and cannot write into it either.",
        "fsopen(2) tmpfs ro, fsmount(2), move_mount(2) → {path}",
    ),
    "path.masked/absent": (
        "{path} does not exist here: nothing to hide",
        "The list is for all machines; what one does not have is passed over.",
        "openat2(2) {path} → ENOENT (2)",
    ),
    "hostname.set": (
        "The container calls itself {hostname}",
        "The name lives in the UTS namespace: the host keeps its own.",
        "sethostname(2) {hostname!r}",
    ),
    "sysctl.written": (
        "A kernel setting of the container's own: {key} = {value}",
        "Only settings that belong to a namespace may be written; others are the host's.",
        "write(2) {value!r} to /proc/sys/{path}",
    ),
    "loopback.raised": (
        "The container's only network device, lo, is up",
        "A new network namespace starts with nothing but this, and it starts down.",
        "ioctl(2) SIOCSIFFLAGS (0x8914) lo IFF_UP (1), unless SIOCGIFFLAGS says it is up",
    ),
    "umask.set": (
        "New files will lack the permissions {mask:04o}",
        "Inherited from the engine otherwise, and then different on every machine.",
        "umask(2) {mask:04o}",
    ),
    "resource.limited": (
        "At most {soft} for {resource} (it may ask for {hard})",
        "Limits of one process, older than cgroups and still what programs ask for.",
        "prlimit(2) RLIMIT_{RESOURCE}: soft {soft}, hard {hard}",
    ),
    "resource.limited/clamped": (
        "At most {soft} for {resource}: more than this machine allows was asked for",
        "Raising a limit above one's own needs a power that the engine does not have here.",
        "prlimit(2) RLIMIT_{RESOURCE}: soft {soft}, hard {hard}, clamped",
    ),
    "oom.score.adjusted": (
        "The kernel knows how gladly to kill it when memory runs out: {score:+d}",
        "From -1000 (never) to +1000 (first).",
        "write(2) {score} to /proc/self/oom_score_adj",
    ),
    "oom.score.adjusted/refused": (
        "It stays as gladly killed as the engine: {score:+d} is not permitted here",
        "Being killed later than others takes CAP_SYS_RESOURCE.",
        "write(2) {score} to /proc/self/oom_score_adj: EACCES",
    ),
    "birth.ready": (
        "Everything that can be shown is done; the process waits for its go",
        "From here on it gives up its powers, one of them being to talk to us.",
        "write(2) on the report pipe, then read(2) until the shim answers",
    ),
    # ── behind the last report ───────────────────────────────────────────────────────────
    "descriptors.closed": (
        "Every open file but the three standard streams is closed",
        "A forgotten handle on a host directory is a way out (see CVE-2024-21626).",
        "close_range(2) from 3 to ~0",
    ),
    "working.directory.entered": (
        "The program will start in {path}",
        "Entered after everything is closed, then checked: it must lie within the root.",
        "chdir(2) {path}; getcwd(2) must answer with an absolute path",
    ),
    "bounding.set.dropped": (
        "No program inside can ever get more than these {kept_count} powers",
        "Even a setuid root program is held by this ceiling: {kept}",
        "prctl(2) PR_CAPBSET_DROP (24) for all but {kept_count} capabilities",
    ),
    "user.taken": (
        "The process becomes user {uid}, group {gid}",
        "Groups, then group, then user: after the last one the others are not allowed.",
        "setgroups(2) {groups}; setresgid(2) {gid}; setresuid(2) {uid}",
    ),
    "capabilities.set": (
        "Of root's powers the process keeps {capabilities_count}",
        "Root is not one power but some forty: {capabilities}",
        "capset(2): permitted = effective = {capabilities_count} of them, inheritable 0",
    ),
    "capabilities.set/none": (
        "The process keeps none of root's powers",
        "What it may do now depends on file permissions alone.",
        "capset(2): permitted = effective = inheritable = 0",
    ),
    "new.privileges.forbidden": (
        "No program can gain powers by being started",
        "The setuid bit of sudo or ping is ignored from here on, for all descendants.",
        "prctl(2) PR_SET_NO_NEW_PRIVS (38), 1",
    ),
    "seccomp.installed": (
        "A filter judges every system call from here on",
        "Most programs never need the dangerous ones; here they answer: not permitted.",
        "seccomp(2) SECCOMP_SET_MODE_FILTER (1), {instructions} instructions of BPF",
    ),
    "program.executed": (
        "The program takes over the process: {argv}",
        "Our own code is gone from memory; all the walls stay, they belong to the process.",
        "execve(2) {argv}; the close-on-exec socket ended, and PF_FORKNOEXEC is gone",
    ),
    "program.not.executed": (
        "The program cannot run: {reason}: {argv}",
        "It was found, so Docker calls this a start; without a program the process ends.",
        "execve(2) {argv}: {reason} ({errno})",
    ),
    "cgroup.removed": (
        "The account is closed: {account}",
        "Its last process has left; what it had used is forgotten.",
        "rmdir(2) {path}",
    ),
}
