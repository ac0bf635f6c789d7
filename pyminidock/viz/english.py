"""The words for every event, three deep: what happened, how or why, which kernel call.

One entry per kind, `kind/variant` where one fact has two faces.  An entry is a template;
`sentences` fills its fields, and facts (paths, numbers, names) stay as they are in every
language.  The first sentence uses plain words and fits into a line; the second says why
an engine does this at all; the third is for whoever has a manual page open.
"""

from collections.abc import Mapping

Words = tuple[str, str, str]

CATALOGUE: Mapping[str, Words] = {
    # ── the door ─────────────────────────────────────────────────────────────────────────
    "request.received": (
        "A client asks: {method} {path}",
        "One API call is one operation; what follows happens because of it.",
        "HTTP over the daemon's Unix socket: {method} {path}",
    ),
    "request.refused": (
        "The engine says no: {what}",
        "A refusal comes before anything is changed, or after all of it was undone.",
        "HTTP status {status}",
    ),
    "gate.held": (
        "Held at {at_kind} until someone lets it go on",
        "Only this story waits; the half-made container can be looked at from outside.",
        "gate {gate}: emit() blocks its own thread after event {at}",
    ),
    "gate.released": (
        "The story goes on: {by}",
        "A gate whose client is gone opens by itself, so nothing stays held for ever.",
        "gate {gate} released by {by}",
    ),
    "events.dropped": (
        "This listener was too slow and missed {count} events",
        "The engine never waits for a listener; what was missed is in the journal.",
        "events {first} to {last} did not fit into the listener's ring",
    ),
    "journal.dropped": (
        "The journal was full: its oldest stories are gone",
        "The journal is bounded; what was dropped is recorded, so no loss is silent.",
        "{events} events of {stories}, {size_bytes} bytes",
    ),
    "orphan.removed": (
        "Something left over was cleaned up: {what} {name}",
        "At its start the daemon removes what is its own and belongs to nobody any more.",
        "{what}: {name}",
    ),
    "shortfall.found": (
        "This machine gives less than was asked: {what} {given} instead of {asked}",
        "The reason: {why}",
        "asked {asked}, given {given}: {why}",
    ),
    # ── layers and lookups ───────────────────────────────────────────────────────────────
    "layer.probed": (
        "Looked for {path} in layer {layer}: {answer}",
        "Layers are asked from the top down; the first clear answer ends the search.",
        "ovl_lookup_single(): {path} in {layer} is {answer}",
    ),
    "path.resolved": (
        "{path} comes from {layers}",
        "Directories merge, files hide what is below them, whiteouts delete.",
        "ovl_lookup(): {path} → {layers}",
    ),
    "path.resolved/absent": (
        "{path} does not exist",
        "No layer had it, or a whiteout in a higher layer says that it was deleted.",
        "ovl_lookup(): {path} → ENOENT (2)",
    ),
    "image.found": (
        "The image {name} is here",
        "An image is a stack of trees; a container will see them but never write to them.",
        "{name} → {image}, layers {layers}",
    ),
    "image.found/stand-in": (
        "The image {name} is a stand-in: really {stand_in}",
        "Nothing pretends to be what it is not: this image was made here, not pulled.",
        "{name} → {image}, a stand-in made of {stand_in}",
    ),
    "layer.unpacked": (
        "A layer was unpacked: {files} entries, {size_bytes} bytes",
        "A layer travels as an archive and lives as a tree, named after all that is below.",
        "tar -x into layers/{chain_id}, diff id {diff_id}",
    ),
    "layer.reused": (
        "A layer was here already",
        "The same changes on the same base are one tree, however many images stand on it.",
        "layers/{chain_id}",
    ),
    "image.loaded": (
        "An image came in, with {layers} layers",
        "Its id is the digest of its description: the same image has the same id anywhere.",
        "{image}, names {names}",
    ),
    "image.saved": (
        "An image was written into an archive",
        "Everything in it is named by its digest: whoever reads it can check all of it.",
        "{image}, names {names}",
    ),
    "image.untagged": (
        "The name {name} leads nowhere now",
        "A name is a label on an image; taking it off leaves the image as it was.",
        "{name} no longer names {image}",
    ),
    "image.removed": (
        "An image is no more",
        "Its description is gone; a layer stays as long as somebody else stands on it.",
        "rm {image}",
    ),
    "layers.removed": (
        "What nobody needed is gone: {size_bytes} bytes",
        "No image, no container and no work in progress needed these layers and blobs.",
        "rm layers {layers}, {blobs} blobs",
    ),
    "store.repaired": (
        "Put in order what an earlier engine left: {what} {deed}",
        "A crash leaves halves behind; the next engine removes them, or moves them aside.",
        "{what} {name} {deed}: {why}",
    ),
    "archive.warned": (
        "An archive is odd: {what}",
        "It can be read without a guess, so it is; what would need a guess is refused.",
        "{what}, entry {entry!r}, at byte {offset}",
    ),
    "snapshot.prepared": (
        "The container gets an empty writable layer on top of the image",
        "Whatever it writes lands there; the layers below stay as they are, shared by all.",
        "mkdir {upper} and {work}, above {lower}",
    ),
    "snapshot.removed": (
        "The writable layer is deleted, with all that the container wrote",
        "That is what docker rm loses; a volume would have kept it.",
        "the upper and work directories of {container} are removed",
    ),
    # ── a build ──────────────────────────────────────────────────────────────────────────
    "path.ignored": (
        "{path} stays at home: line {line} of {ignore_file}",
        "What is not sent cannot be copied, cached or leaked; the daemon never sees it.",
        "{pattern} was the last line of {ignore_file} to match {path}",
    ),
    "context.received": (
        "The build context is here: {files} names, {size_bytes} bytes",
        "COPY and ADD see this copy and nothing else; the client's folder is out of reach.",
        "unpacked below {path}, hashed on the way",
    ),
    "instruction.parsed": (
        "Line {first_line}: {text}",
        "The whole Dockerfile is read before the first step, so a typo costs no time.",
        "step {step} of stage {stage}, lines {first_line} to {last_line}",
    ),
    "step.started": (
        "Step {step} of {total}: {text}",
        "Each instruction turns one image into the next.",
        "stage {stage}, line {line}",
    ),
    "step.skipped": (
        "Step {step} of {total} is skipped: {text}",
        "No stage that is wanted needs this one, so its instructions are not carried out.",
        "stage {stage}, line {line}",
    ),
    "cache.hit": (
        "Step {step} was done before: its result is taken",
        "Same image before it, same instruction, same files: the result is the same, too.",
        "image {image}",
    ),
    "cache.missed": (
        "Step {step} has to be done: {reason}",
        "Whatever could change the result is compared; after one miss all steps are done.",
        "cause {cause} {detail} {path}: {before!r} → {after!r}",
    ),
    "config.changed": (
        "The image's {field} is now {after}",
        "Settings live in the image's configuration; such a step adds no files.",
        "{field}: {before} → {after}",
    ),
    "file.copied": (
        "{path} is in the new layer",
        "It was put there directly: no container and no mount is needed to copy.",
        "{kind} {source} → {path}, mode {mode:o}, owner {uid}:{gid}, {size_bytes} bytes",
    ),
    "files.omitted": (
        "And {count} more",
        "A step tells its first files one by one; the layer's listing has them all.",
        "{count} names without an event of their own",
    ),
    "step.printed": (
        "The program says: {text}",
        "Step {step} runs a program in a container; it wrote this to its {stream}.",
        "{stream} of step {step}: {text!r}",
    ),
    "layer.committed": (
        "A new layer: {files} names, {size_bytes} bytes",
        "It is kept twice, as a tree to mount and as an archive to ship.",
        "diff ID {diff_id}, chain ID {chain_id}",
    ),
    "step.finished": (
        "Step {step} gave image {image}",
        "It is an image like any other: run it to see how things stand after this step.",
        "image {image}, {milliseconds} ms",
    ),
    "step.finished/cached": (
        "Step {step} gave image {image}, at once",
        "Doing it again would have cost {milliseconds} ms.",
        "image {image}, {milliseconds} ms when it was made",
    ),
    "image.built": (
        "Stage {stage} is done: image {image}",
        "The last step's image is the stage's; other stages can copy from it.",
        "stage {stage}: {image}",
    ),
    "image.tagged": (
        "The image is called {name}",
        "A name is a pointer to an image; it can be moved, the image stays as it is.",
        "{name} → {image}",
    ),
    "image.tagged/moved": (
        "{name} is another image now",
        "A name is a pointer: the image that had it, {previous}, stays without this name.",
        "{name} → {image}, before {previous}",
    ),
    "build.failed": (
        "The build ends at step {step}: {text}",
        "To look around just before it: {enter_command}",
        "exit code {code}",
    ),
    # ── the container ────────────────────────────────────────────────────────────────────
    "container.created": (
        "Container {name} exists: a record and a writable layer, no process yet",
        "Creating and starting are two steps, so a container can be started again.",
        "id {container}, image {image}, command {command}",
    ),
    "user.resolved": (
        "The program will run as user {uid}, group {gid}",
        "Names are looked up in the image's own /etc/passwd, never in the host's.",
        "--user {asked!r} → uid {uid} gid {gid} groups {groups}, home {home} ({source})",
    ),
    "spec.resolved": (
        "Everything is decided: run {command}",
        "Flags, image defaults and the user are numbers now; from here nothing guesses.",
        "uid {uid} gid {gid}, {capabilities_count} capabilities, seccomp {seccomp}, "
        "cwd {working_directory}",
    ),
    "plan.made": (
        "The start is a plan now: {calls} calls to the kernel, in order",
        "A plan is a value: it can be printed, compared, and failed at any call in a test.",
        "{verbs}",
    ),
    "container.started": (
        "The container runs; the host sees it as process {pid}",
        "There is no machine inside: a container is a process that sees less.",
        "pid {pid} on the host, PID 1 inside",
    ),
    "container.start.failed": (
        "The start was refused: {reason}",
        "Every call has an undo beside it, so what had been done was taken back.",
        "{verb} failed; exit code {exit_code}",
    ),
    "isolation.observed": (
        "The kernel confirms what separates the process from the host",
        "Read back from outside, not taken from the plan. Shared with the host: {shared}",
        "/proc/{pid}: CapEff {capabilities_effective}, Seccomp {seccomp_mode}, "
        "NoNewPrivs {no_new_privileges:d}",
    ),
    "isolation.unobserved": (
        "The program ended before anyone could look at it",
        "Short programs are gone in a millisecond; what was planned still holds.",
        "/proc/PID could not be read: {reason}",
    ),
    "container.exited": (
        "The program ended with status {exit_code}",
        "PID 1 is the container: when it ends, the kernel ends everything else inside.",
        "waitid(2): status {exit_code}, signal {signal}",
    ),
    "container.exited/memory": (
        "The kernel killed the program: its memory budget was used up",
        "The account that ran out was the container's, not the machine's.",
        "OOM killer: signal {signal}, status {exit_code} = 128 + 9",
    ),
    "container.signalled": (
        "Signal {signal} was sent to the first process",
        "PID 1 ignores signals that it has no handler for, except KILL from outside.",
        "pidfd_send_signal(2), signal {signal}",
    ),
    "container.removed": (
        "Container {name} is gone: record, layer and log",
        "The story ends here; the image is untouched.",
        "{container} removed",
    ),
    "exec.created": (
        "A second program is asked for in the container: {command}",
        "It will join what already exists; nothing new is mounted or made.",
        "exec {exec} of {container}",
    ),
    "exec.started": (
        "The second program runs beside the first, as process {pid}",
        "It sees what the first one sees because it lives in the same namespaces.",
        "setns(2) into each namespace of PID 1, then clone and execve; pid {pid}",
    ),
    "exec.exited": (
        "The second program ended with status {exit_code}",
        "The container goes on: only the end of PID 1 ends it.",
        "waitid(2): status {exit_code} of exec {exec}",
    ),
    # ── before there is a process ────────────────────────────────────────────────────────
    "cgroup.created": (
        "An account for resources is opened: {account}",
        "Whoever is put into this group shares one budget, and is counted.",
        "mkdir(2) {path}",
    ),
    "cgroup.limited": (
        "A budget is set: {file} = {value}",
        "Written before the process exists, so nothing ever runs unlimited.",
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
        "fork(2) → {pid}; setsid, PR_SET_CHILD_SUBREAPER",
    ),
    "namespace.entered": (
        "A new {namespace} namespace: {gain}",
        "{why}",
        "unshare(2) {flag}",
    ),
    "namespace.entered/joined": (
        "Joined the container's {namespace} namespace",
        "An exec does not make walls, it steps behind those of the first process.",
        "setns(2) {flag}, the namespace of process {of}",
    ),
    "init.forked": (
        "The process that will become the container is born",
        "It is still our own code: it now builds its walls from the inside.",
        "clone(2) → {pid} on the host; PID 1 inside if the PID namespace is new",
    ),
    # ── the newborn process ──────────────────────────────────────────────────────────────
    "cgroup.joined": (
        "The process is put under its budget: {account}",
        "From here every child it forks is counted with it, whatever it does.",
        "write(2) of its pid to {path}/cgroup.procs",
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
        "mount(2) {target} {flag}",
    ),
    "propagation.set/private": (
        "Mounts at {target} travel nowhere",
        "pivot_root refuses a root whose parent hands mounts on.",
        "mount(2) {target} {flag}",
    ),
    "root.attached": (
        "The stacked tree is hung into the new mount namespace",
        "Only this process can see it: the host's mount table is unchanged.",
        "move_mount(2) → {target}",
    ),
    "mounted": (
        "Mounted at {target}: {what}",
        "{why}",
        "mount(2) {filesystem} on {target} ({options})",
    ),
    "bind.mounted": (
        "A file or directory of the host appears at {target}",
        "The same inode under a second name: no copy, so both sides see changes.",
        "open_tree(2) {source}, move_mount(2) → {target} ({options})",
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
        "The container gets a terminal of its own: {path}",
        "It comes from the container's devpts, so a program inside cannot reach ours.",
        "open(2) ptmx, ioctl TIOCGPTPEER (0x5441), bind on {path}",
    ),
    "root.pivoted": (
        "The new tree becomes /; the host's files are out of reach",
        "Unlike chroot there is no way back: the old root is unmounted, not hidden.",
        "pivot_root(2) . . → {root}; umount2(2) MNT_DETACH (2)",
    ),
    "streams.reopened": (
        "/dev/null is opened again, inside",
        "An open file is a handle on the place it came from; none may lead to the host.",
        "openat(2) /dev/null (1:3), dup2(2) on descriptors 0 to 2",
    ),
    "remounted.readonly": (
        "Writing to {target} is refused from now on",
        "The other flags of the mount are kept: dropping one would loosen it.",
        "mount_setattr(2) {target} MOUNT_ATTR_RDONLY (1)",
    ),
    "path.made.readonly": (
        "{path} can be read but not changed",
        "These files are the kernel's own settings, and they are not all namespaced.",
        "mount(2) MS_BIND {path} on itself, then MS_REMOUNT|MS_BIND|MS_RDONLY",
    ),
    "path.made.readonly/absent": (
        "{path} does not exist here: nothing to protect",
        "The list is for all machines; what one does not have is passed over.",
        "openat2(2) {path} → ENOENT (2)",
    ),
    "path.masked": (
        "{path} is hidden",
        "It tells about the host, and no namespace covers it: so it is covered up.",
        "mount(2) {by} over {path}",
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
        "ioctl(2) SIOCSIFFLAGS (0x8914) lo IFF_UP (1)",
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

GAINS: Mapping[str, Words] = {
    # namespace: what it gains, why, the flag
    "pid": (
        "its processes are counted from 1",
        "It cannot see or signal the host's processes. Takes effect at the next fork.",
        "CLONE_NEWPID (0x20000000)",
    ),
    "mount": (
        "its mounts are its own",
        "It starts as a copy of the host's table; what is mounted now shows only here.",
        "CLONE_NEWNS (0x00020000)",
    ),
    "network": (
        "no network devices but its own lo",
        "Own devices, addresses, ports and firewall: port 80 is free in each.",
        "CLONE_NEWNET (0x40000000)",
    ),
    "uts": (
        "it may have a name of its own",
        "Host name and domain name, nothing else: the smallest of the namespaces.",
        "CLONE_NEWUTS (0x04000000)",
    ),
    "ipc": (
        "no shared memory with the host",
        "System V segments, semaphores and message queues are its own.",
        "CLONE_NEWIPC (0x08000000)",
    ),
    "cgroup": (
        "it sees its own account as the root",
        "The budget is the same; only the view of the tree above it is cut off.",
        "CLONE_NEWCGROUP (0x02000000)",
    ),
    "user": (
        "its root is nobody outside",
        "Ids are translated at the border: 0 inside is an ordinary user of the host.",
        "CLONE_NEWUSER (0x10000000)",
    ),
}

ANY_NAMESPACE: Words = (
    "what it names is its own",
    "A wall of a kind that this version has no words for.",
    "of a kind that has no name here",
)

FILESYSTEMS: Mapping[str, tuple[str, str]] = {
    # filesystem: what it is, why it is there
    "proc": (
        "a fresh view of processes",
        "It shows the PID namespace it was mounted in: here, only the container's own.",
    ),
    "sysfs": (
        "the kernel's view of devices",
        "Read-only as a rule: what it shows belongs to the whole machine.",
    ),
    "devpts": (
        "a set of terminals of its own",
        "A new instance: its pts/0 is not the host's pts/0.",
    ),
    "mqueue": (
        "its message queues",
        "They belong to the IPC namespace; this makes them visible as files.",
    ),
    "tmpfs": (
        "memory that looks like a directory",
        "Empty at every start, gone at the end, and it counts as used memory.",
    ),
    "cgroup": (
        "its account, to be read",
        "A program may ask what its limits are; changing them is not for it.",
    ),
}
FILESYSTEMS = {**FILESYSTEMS, "cgroup2": FILESYSTEMS["cgroup"]}
ANY_FILESYSTEM = ("a filesystem", "It is mounted in the container's namespace only.")
UNKNOWN: Words = (
    "{kind}: a step that this version has no words for",
    "It was recorded by a newer engine; its facts are kept: {facts}",
    "{facts}",
)
EVIDENCE: Mapping[str, tuple[str, str]] = {
    # evidence: the mark in pictures, what it means
    "": ("∴", "decided by the engine"),
    "acknowledged": ("✓", "the kernel answered"),
    "observed": ("◉", "read back from the kernel"),
    "explained": ("≡", "computed, not seen"),
    "planned": ("◌", "planned, and no failure heard"),
    "client": ("◂", "told by our client"),
}
