"""What the Docker SDK for Python is asked of both engines.

A scene is a function from a client to whatever the client gave back; refusals are answers,
too (see `said`).  Names of objects begin with "sdk-", and a scene leaves none behind.
"""

import io
import itertools
import tarfile
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import docker.errors

Client = Any  # docker.DockerClient: its classes have no annotations
Scene = Callable[[Client], Any]

NONE = {"network_mode": "none"}
LOOP = ["sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.1; done"]
SCENES: dict[str, Scene] = {}


def scene(function: Scene) -> Scene:
    """Register a scene under its name, in words."""
    SCENES[function.__name__.replace("_", " ").strip()] = function
    return function


def said(act: Callable[[], Any]) -> Any:
    """Give what an act gave, or how it was refused."""
    try:
        return act()
    except docker.errors.ContainerError as failure:
        return ("failed", failure.exit_status, failure.stderr)
    except docker.errors.APIError as refusal:
        return (type(refusal).__name__, refusal.status_code, refusal.explanation)
    except (docker.errors.DockerException, ValueError, TypeError) as refusal:
        return (type(refusal).__name__, str(refusal))


def packed(**files: bytes) -> bytes:
    """An archive of files; a `__` in a name is a dot."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.replace("__", "."))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def unpacked(pieces: Any) -> dict[str, bytes]:
    """The names in an archive that comes in pieces, and what is in its files."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        return {
            each.name: archive.extractfile(each).read() if each.isreg() else b""  # type: ignore[union-attr]
            for each in archive.getmembers()
        }


def spoken(lines: Any) -> list[Any]:
    """What a build says; ours makes no container for a mere setting, which has a rule."""
    said = [line.get("stream") or sorted(line) for line in lines]
    aside = ("Running in", "Removed intermediate container")
    return [word for word in said if not any(each in word for each in aside)]


def hears(container: Any) -> None:
    """Let the engine hear of all that has happened to a container; see `Side.hears`."""
    container.exec_run("true")
    while container.client.api.inspect_container(container.id)["ExecIDs"]:
        pass


def forget(client: Client, *names: str) -> None:
    """Remove containers, whatever they do."""
    for name in names:
        said(partial(client.api.remove_container, name, force=True, v=True))


# ── The client ───────────────────────────────────────────────────────────────────────────


@scene
def the_engine_is_asked_who_it_is(client: Client) -> Any:
    version, info, df = client.version(), client.info(), client.df()
    return [
        client.ping(), client.api.ping(), sorted(version), version["ApiVersion"],
        version["MinAPIVersion"], version["Os"], version["Arch"], version["KernelVersion"],
        sorted(info), info["OSType"], info["Driver"], info["NCPU"], info["MemTotal"],
        info["CgroupDriver"], info["CgroupVersion"], info["LoggingDriver"],
        sorted(df), sorted(client.api.df()), sorted(client.api.version()),
        sorted(client.api.info()),
    ]  # fmt: skip


@scene
def events_are_told_while_they_happen(client: Client) -> Any:
    stream = client.events(decode=True, filters={"container": "sdk-told"})
    client.containers.run("root", "true", name="sdk-told", remove=True, **NONE)
    seen = []
    for event in stream:
        seen.append((event["Type"], event["Action"], sorted(event), sorted(event["Actor"])))
        if event["Action"] == "destroy":
            break
    stream.close()
    return seen


@scene
def events_of_the_past_are_told_and_end(client: Client) -> Any:
    past = client.api.events(since=1, until=2, decode=True)
    return list(past)


@scene
def a_client_closes(client: Client) -> Any:
    socket = f"unix://{client.api._custom_adapter.socket_path}"
    other = docker.DockerClient(socket, version="1.45")
    return [other.ping(), other.close()]


# ── Running ──────────────────────────────────────────────────────────────────────────────


@scene
def run_gives_what_a_program_prints(client: Client) -> Any:
    run = client.containers.run
    words = ["sh", "-c", "echo out; echo err >&2"]
    return [
        run("root", words, remove=True, **NONE),
        run("root", words, remove=True, stderr=True, stdout=False, **NONE),
        sorted(run("root", words, remove=True, stderr=True, **NONE).splitlines()),
        list(run("root", words, remove=True, stream=True, **NONE)),
        run("root", "echo one two", remove=True, **NONE),
        run("root", "cat /proc/self/comm", remove=True, tty=True, **NONE),
        run("root", "env", environment={"A": "1"}, hostname="box", remove=True, **NONE),
        run("root", "pwd", working_dir="/etc", remove=True, **NONE),
        run("root", "id -u", user="65534", remove=True, **NONE),
        run("root", remove=True, entrypoint=["echo", "entry"], command=["x"], **NONE),
        run("root", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes", mem_limit="64m",
            remove=True, **NONE),
        run("root", "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us", nano_cpus=500_000_000,
            remove=True, **NONE),
        said(lambda: run("root", "touch /x", read_only=True, remove=True, **NONE)),
    ]  # fmt: skip


@scene
def run_refuses(client: Client) -> Any:
    run = client.containers.run
    return [
        said(lambda: run("root", "false", remove=True, **NONE)),
        said(lambda: run("root", ["sh", "-c", "echo no >&2; exit 3"], remove=True,
                         **NONE)),
        said(lambda: run("root", "nonsense", remove=True, **NONE)),
        said(lambda: run("root", "true", name="not a name", **NONE)),
        said(lambda: run("root", "true", mem_limit="1m", **NONE)),
        said(lambda: run("root", "true", cap_add=["NONSENSE"], **NONE)),
        said(lambda: run("root", "true", restart_policy={"Name": "nonsense"}, **NONE)),
        said(lambda: run("root", "true", nonsense=1, **NONE)),
    ]  # fmt: skip


@scene
def a_detached_container_lives_and_is_stopped(client: Client) -> Any:
    made = client.containers.run(
        "root", LOOP, detach=True, name="sdk-lives", labels={"a": "1"}, **NONE
    )
    try:
        for piece in made.logs(stream=True, follow=True):
            assert piece == b"ready\n"
            break
        seen = [made.status, made.reload(), made.status, made.name, made.labels]
        seen += [made.image.id[:7], made.short_id == made.id[:12], made.ports]
        seen += [said(made.remove), made.stop(timeout=20), made.reload(), made.status]
        seen += [made.attrs["State"]["ExitCode"], made.wait(), said(made.kill)]
        seen += [made.start(), made.restart(timeout=0), made.reload(), made.status]
        seen += [made.pause(), made.reload(), made.status, said(made.pause)]
        seen += [made.unpause()]
        hears(made)
        seen += [made.reload(), made.status, said(made.unpause)]
        seen += [made.rename("sdk-renamed"), made.reload(), made.name]
        seen += [said(lambda: made.rename("not a name")), made.kill("SIGKILL")]
        seen += [made.wait(condition="not-running"), said(lambda: made.kill(9))]
        seen += [said(lambda: made.wait(condition="nonsense")), made.remove()]
        seen += [said(made.reload), said(made.start), said(made.remove)]
        return seen
    finally:
        forget(client, "sdk-lives", "sdk-renamed")


@scene
def containers_are_listed_and_found(client: Client) -> Any:
    containers = client.containers
    made = [containers.create("root", "true", name=f"sdk-list-{n}", labels={"n": str(n)},
                              **NONE) for n in range(3)]  # fmt: skip
    try:
        made[1].start()
        made[1].wait()
        made[1].reload()  # Docker tells an end before it lists it, under the same lock

        def names(**asked: Any) -> Any:
            found = said(lambda: containers.list(**asked))
            return found if isinstance(found, tuple) else [each.name for each in found]

        mine = {"name": "sdk-list"}
        return [
            names(filters=mine), names(all=True, filters=mine),
            names(all=True, filters=mine | {"label": "n=2"}),
            names(all=True, filters=mine | {"status": "exited"}),
            names(all=True, filters=mine | {"exited": 0}),
            names(all=True, filters=mine | {"ancestor": "root"}),
            len(names(all=True, limit=1)),
            names(all=True, before="sdk-list-1", filters=mine),
            names(all=True, since="sdk-list-1", filters=mine), names(filters={"x": "1"}),
            type(names(all=True, before="nobody")), names(filters={"status": "x"}),
            names(all=True, sparse=True, filters=mine),
            names(all=True, ignore_removed=True, filters=mine),
            containers.get("sdk-list-0").name, said(lambda: containers.get("sdk-nobody")),
            containers.get(made[0].id[:20]).name, len(client.api.containers(all=True)) > 2,
            [sorted(row) for row in client.api.containers(all=True, filters=mine)],
            [sorted(row) for row in client.api.containers(quiet=True, all=True)][:1],
            sorted(containers.prune(filters={"label": "n"})),
            names(all=True, filters=mine),
            said(lambda: client.api.prune_containers(filters={"x": "1"})),
        ]  # fmt: skip
    finally:
        forget(client, *(f"sdk-list-{n}" for n in range(3)))


@scene
def what_a_program_printed_is_read_again(client: Client) -> Any:
    made = client.containers.run(
        "root", ["sh", "-c", "for i in 1 2 3; do echo $i; done; echo oops >&2"],
        name="sdk-logs", detach=True, **NONE,
    )  # fmt: skip
    try:
        made.wait()
        return [
            made.logs(stderr=False), made.logs(stdout=False),
            made.logs(tail=4, stderr=False) and "lines", made.logs(tail=0),
            list(made.logs(stream=True, stderr=False)),
            b"".join(made.logs(stream=True, follow=True, stderr=False)),
            len(made.logs(timestamps=True, stderr=False).split(b"\n")[0]),
            made.logs(since=2**31), made.logs(until=1), said(lambda: made.logs(since="x")),
            client.api.logs("sdk-logs", stderr=False, tail="all"),
            said(lambda: client.api.logs("sdk-nobody")),
            said(lambda: made.logs(stdout=False, stderr=False)),
        ]  # fmt: skip
    finally:
        forget(client, "sdk-logs")


@scene
def one_attaches(client: Client) -> Any:
    made = client.containers.create(
        "root", "cat", name="sdk-attach", stdin_open=True, **NONE
    )
    try:
        line = made.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
        made.start()
        line._sock.sendall(b"typed\n")
        head = line.read(8)
        body = line.read(6)
        line.close()
        made.kill()
        made.wait()
        replays = [made.attach(logs=True, stream=False, stdout=True, stderr=True),
                   client.api.attach("sdk-attach", logs=True, stream=False)]  # fmt: skip
        again = client.api.attach_socket("sdk-attach", {"logs": 1, "stdout": 1})
        again.close()
        return [
            head,
            body,
            [type(each) for each in replays],
            said(lambda: client.api.attach("sdk-nobody")),
        ]
    finally:
        forget(client, "sdk-attach")


@scene
def a_terminal_is_resized(client: Client) -> Any:
    made = client.containers.run(
        "root", ["sh", "-c", "sleep 300"], name="sdk-size", tty=True, detach=True,
        stdin_open=True, **NONE,
    )  # fmt: skip
    try:
        seen = [made.resize(33, 99), made.exec_run("sh -c 'stty size < /dev/pts/0'")]
        seen += [said(lambda: made.resize("x", 1))]
        made.kill()
        made.wait()
        return [*seen, said(lambda: made.resize(1, 1)),
                said(lambda: client.api.resize("sdk-nobody", 1, 1))]  # fmt: skip
    finally:
        forget(client, "sdk-size")


# ── Second programs ──────────────────────────────────────────────────────────────────────


@scene
def a_second_program_runs(client: Client) -> Any:
    made = client.containers.run("root", LOOP, name="sdk-exec", detach=True, **NONE)
    api = client.api
    try:
        run = made.exec_run
        seen = [
            run("echo hi"), run(["sh", "-c", "echo out; echo err >&2; exit 3"], demux=True),
            run("env", environment=["A=1"])[0], run("pwd", workdir="/etc"),
            run("id -u", user="65534"), run("nonsense"), run("true", detach=True)[1],
            [b"".join(run("echo streamed", stream=True)[1])], run("tty", tty=True),
            run("grep CapEff /proc/self/status", privileged=True),
        ]  # fmt: skip
        one = api.exec_create("sdk-exec", ["sh", "-c", "read a; echo $a$A"],
                              stdin=True, environment={"A": "1"})  # fmt: skip
        seen += [sorted(one), api.exec_inspect(one["Id"])]
        line = api.exec_start(one["Id"], socket=True)
        line._sock.sendall(b"typed\n")
        seen += [line.read(8), line.read(7)]
        line.close()
        while api.exec_inspect(one)["Running"]:
            pass
        seen += [api.exec_inspect(one)]
        two = api.exec_create(made.id, "sleep 300", tty=True)
        api.exec_start(two, detach=True, tty=True)
        seen += [api.exec_resize(two, 20, 30), api.exec_inspect(two)["Running"]]
        seen += [said(lambda: api.exec_create("sdk-nobody", "true")),
                 said(lambda: api.exec_inspect("nobody")),
                 said(lambda: api.exec_start("nobody")),
                 said(lambda: api.exec_resize("nobody", 1, 1)),
                 said(lambda: api.exec_create(made.id, []))]  # fmt: skip
        made.kill()
        made.wait()
        return [*seen, said(lambda: run("true"))]
    finally:
        forget(client, "sdk-exec")


# ── Files ────────────────────────────────────────────────────────────────────────────────


@scene
def a_second_program_is_left_by_keys_of_its_own(client: Client) -> Any:
    made = client.containers.run("root", LOOP, name="sdk-keys", detach=True, **NONE)
    try:
        one = client.api.exec_create(made.id, "cat", stdin=True, tty=True,
                                     detach_keys="ctrl-x,q")  # fmt: skip
        line = client.api.exec_start(one, tty=True, socket=True)
        line._sock.sendall(b"\x18q")
        line.read()  # to its end; Docker says at times that leaving so is a failure
        line.close()
        return client.api.exec_inspect(one)["ProcessConfig"]
    finally:
        forget(client, "sdk-keys")


@scene
def files_go_in_and_out(client: Client) -> Any:
    made = client.containers.run(
        "root", ["sh", "-c", "echo new > /new; rm /etc/group"], name="sdk-files",
        detach=True, **NONE,
    )  # fmt: skip
    try:
        made.wait()
        seen = [made.put_archive("/etc", packed(in__txt=b"in\n")),
                said(lambda: made.put_archive("/nowhere", packed(x=b""))),
                said(lambda: made.put_archive("/new", packed(x=b"")))]  # fmt: skip
        pieces, stat = made.get_archive("/etc/in.txt")
        seen += [unpacked(pieces), stat["name"], stat["size"], stat["mode"],
                 stat["linkTarget"], said(lambda: made.get_archive("/nothing")),
        ]  # fmt: skip
        seen += [sorted((row["Path"], row["Kind"]) for row in made.diff())]
        seen += [sorted((row["Path"], row["Kind"]) for row in client.api.diff(made.id))]
        seen += [said(lambda: client.api.get_archive(made.id, ""))]
        whole = unpacked(made.export())
        seen += [whole["new"], sorted(whole)[:20], "etc/group" in whole]
        seen += [said(lambda: list(client.api.export("sdk-nobody"))),
                 said(lambda: client.api.diff("sdk-nobody"))]  # fmt: skip
        return seen
    finally:
        forget(client, "sdk-files")


@scene
def a_container_becomes_an_image(client: Client) -> Any:
    made = client.containers.run(
        "root", ["sh", "-c", "echo new > /new"], name="sdk-commit", detach=True,
        environment={"A": "1"}, labels={"l": "1"}, **NONE,
    )  # fmt: skip
    try:
        made.wait()
        image = made.commit("sdk/made", "1", message="a note", author="me",
                            changes=["CMD cat /new"], conf={"Labels": {"m": "2"}},
        )  # fmt: skip
        attrs = image.attrs
        seen = [image.tags, attrs["Comment"], attrs["Author"], attrs["Config"],
                client.containers.run("sdk/made:1", remove=True, **NONE),
                [row["CreatedBy"] for row in image.history()], sorted(image.history()[0]),
                said(lambda: made.commit(changes=["RUN x"])),
                said(lambda: client.api.commit("sdk-nobody")),
                sorted(client.api.commit("sdk-commit", pause=False))]  # fmt: skip
        client.images.remove("sdk/made:1")
        return seen
    finally:
        forget(client, "sdk-commit")
        client.images.prune()


# ── Looking ──────────────────────────────────────────────────────────────────────────────


@scene
def everything_is_told_about_a_container(client: Client) -> Any:
    made = client.containers.create(
        "root", "sleep 300", name="sdk-told-all", environment={"A": "1"},
        mem_limit="64m",
        labels={"l": "1"}, hostname="box", user="0:0", working_dir="/etc", tty=True,
        stdin_open=True, cap_add=["NET_ADMIN"], cap_drop=["KILL"], pids_limit=50,
        restart_policy={"Name": "on-failure", "MaximumRetryCount": 3}, shm_size="1m",
        stop_signal="USR1", healthcheck={"test": ["CMD", "true"], "interval": 10**9},
        log_config={"type": "json-file", "config": {"max-size": "1m"}}, init=True,
        tmpfs={"/t": "size=1m"},
        ulimits=[docker.types.Ulimit(name="nofile", soft=9, hard=9)],
        sysctls={"net.ipv4.ip_forward": "1"}, extra_hosts={"one": "1.2.3.4"},
        dns=["1.1.1.1"],
        security_opt=["no-new-privileges"], oom_score_adj=100, cpu_shares=512, **NONE,
    )  # fmt: skip
    try:
        told = client.api.inspect_container("sdk-told-all")
        return [{name: value for name, value in told.items() if name != "GraphDriver"}]
    finally:
        forget(client, made.id)


@scene
def processes_and_figures_are_told(client: Client) -> Any:
    made = client.containers.run("root", "sleep 300", name="sdk-top", detach=True, **NONE)
    try:
        top = made.top()
        seen = [top["Titles"], [row[-1] for row in top["Processes"]],
                made.top(ps_args="-o pid,comm")["Titles"],
                said(lambda: made.top(ps_args="-o comm")),
                sorted(client.api.top("sdk-top"))]  # fmt: skip
        one = made.stats(stream=False)
        seen += [sorted(one), sorted(one["cpu_stats"]),
                 sorted(one["cpu_stats"]["cpu_usage"]),
                 sorted(one["memory_stats"]), sorted(one["pids_stats"]),
                 sorted(one["blkio_stats"]), one["name"], one["num_procs"],
                 one["pids_stats"]["current"], sorted(one["memory_stats"]["stats"]),
        ]  # fmt: skip
        few = list(itertools.islice(made.stats(stream=True, decode=True), 2))
        seen += [[sorted(each) for each in few],
                 sorted(client.api.stats("sdk-top", stream=False, one_shot=True)),
                 said(lambda: client.api.stats("sdk-nobody", stream=False))]  # fmt: skip
        made.kill()
        made.wait()
        gone = made.stats(stream=False)
        return [*seen, said(made.top), gone["memory_stats"], gone["pids_stats"],
                gone["cpu_stats"]]  # fmt: skip
    finally:
        forget(client, "sdk-top")


@scene
def limits_are_changed(client: Client) -> Any:
    made = client.containers.run(
        "root", "sleep 300", name="sdk-update", detach=True, **NONE
    )
    try:
        seen = [made.update(mem_limit="64m", memswap_limit="64m", cpu_shares=300),
                made.exec_run("cat /sys/fs/cgroup/memory/memory.limit_in_bytes"),
                made.exec_run("cat /sys/fs/cgroup/cpu/cpu.shares"),
                said(lambda: made.update(mem_limit="1m")),
                said(lambda: made.update(cpuset_cpus="900")),
                said(lambda: client.api.update_container("sdk-nobody", cpu_shares=3)),
                made.update(restart_policy={"Name": "on-failure", "MaximumRetryCount": 2}),
        ]  # fmt: skip
        made.reload()
        host = made.attrs["HostConfig"]
        return [*seen, host["Memory"], host["CpuShares"], host["RestartPolicy"],
                client.api.update_container("sdk-update", cpu_shares=400)]  # fmt: skip
    finally:
        forget(client, "sdk-update")


@scene
def ports_are_none(client: Client) -> Any:
    made = client.containers.create("root", "true", name="sdk-port", **NONE)
    try:
        return [client.api.port("sdk-port", 80), said(lambda: client.api.port("sdk-no", 1))]
    finally:
        forget(client, made.id)


# ── Images ───────────────────────────────────────────────────────────────────────────────

_DOCKERFILE = b"FROM root\nLABEL scene=sdk-build\nCOPY hello /\nRUN true\nCMD cat /hello\n"


@scene
def a_name_that_is_not_here_is_not_saved(client: Client) -> Any:
    names = ("sdk-nobody", "sdk-nobody:1", "busybox:sdk-no", f"busybox@sha256:{'0' * 64}")

    def saved(name: str) -> list[bytes]:
        return list(client.api.get_image(name))

    return [said(partial(saved, name)) for name in names]


@scene
def an_image_is_built_run_saved_and_loaded(client: Client) -> Any:
    context = packed(Dockerfile=_DOCKERFILE, hello=b"hello\n")
    client.images.prune(filters={"dangling": True})
    build, broken = client.images.build, packed(Dockerfile=b"FROM root\nX")
    image, told = build(
        fileobj=io.BytesIO(context),
        custom_context=True,
        tag="sdk/app:1",
        rm=True,
        nocache=True,
    )
    words = spoken(told)
    try:
        seen = [words, image.tags, image.labels, image.tag("sdk/app", "2"), image.reload(),
                sorted(image.tags), client.containers.run("sdk/app:1", remove=True, **NONE),
                said(lambda: build(fileobj=io.BytesIO(broken),
                                   custom_context=True)),
                [sorted(row) for row in image.history()][:1]]  # fmt: skip
        saved = b"".join(image.save(named=True))
        seen += [client.images.get("sdk/app:2").id == image.id,
                 said(lambda: client.images.get("sdk/none")),
                 sorted(each.tags for each in client.images.list("sdk/app")),
                 len(client.images.list(filters={"label": "scene=sdk-build"})),
                 said(image.remove), client.images.remove("sdk/app:2"), image.remove(),
                 said(lambda: client.images.remove("sdk/app:1"))]  # fmt: skip
        loaded = client.images.load(saved)
        seen += [
            sorted(loaded[0].tags),
            type(said(lambda: client.images.load(b"no archive"))),
        ]
        seen += [sorted(client.images.prune(filters={"dangling": True})),
                 sorted(client.images.prune_builds())]  # fmt: skip
        return seen
    finally:
        for name in ("sdk/app:1", "sdk/app:2"):
            said(partial(client.images.remove, name, force=True))


@scene
def images_are_handled_on_the_lower_floor(client: Client) -> Any:
    api = client.api
    tree = packed(file=b"here\n")
    told = [api.import_image_from_data(tree, repository="sdk/tree", tag="1",
                                       changes=["CMD cat /file"]),
            api.import_image(io.BytesIO(tree), repository="sdk/tree", tag="2"),
            said(lambda: api.import_image_from_stream(io.BytesIO(tree), "sdk/tree",
                                                      tag="3"))]  # fmt: skip
    try:
        seen = [len(told[0].splitlines()), len(told[1].splitlines()), told[2][0]]
        attrs = api.inspect_image("sdk/tree:1")
        seen += [attrs["Config"], attrs["Comment"], sorted(attrs),
                 api.tag("sdk/tree:1", "sdk/tree", "4"),
                 said(lambda: api.tag("sdk/no", "x")),
                 sorted(tag for row in api.images("sdk/tree") for tag in row["RepoTags"]),
                 len(api.images("sdk/tree", quiet=True)), sorted(api.images("sdk/tree")[0]),
                 [row["Comment"] for row in api.history("sdk/tree:1")],
                 said(lambda: api.history("sdk/none")),
                 said(lambda: api.inspect_image("sdk/none")),
                 sorted(unpacked(api.get_image("sdk/tree:1")))[-2:],
                 said(lambda: list(api.get_image("sdk/none"))),
                 [len(api.remove_image("sdk/tree:4")),
                  said(lambda: api.remove_image("sdk/no"))],
                 sorted(api.prune_images(filters={"dangling": True})),
                 sorted(api.prune_builds())]  # fmt: skip
        archive = b"".join(api.get_image("sdk/tree:1"))
        seen += [[sorted(line) for line in api.load_image(archive)]]
        small = packed(Dockerfile=b"FROM scratch\nLABEL a=1\n")
        built = api.build(fileobj=io.BytesIO(small),
                          custom_context=True, decode=True, tag="sdk/tree:5")  # fmt: skip
        return [*seen, spoken(built)]
    finally:
        for number in range(1, 6):
            said(partial(client.images.remove, f"sdk/tree:{number}"))


@scene
def a_container_is_made_on_the_lower_floor(client: Client) -> Any:
    api = client.api
    host = api.create_host_config(network_mode="none", auto_remove=False, mem_limit="64m")
    made = api.create_container("root", LOOP, name="sdk-low", host_config=host)
    try:
        seen = [sorted(made), made["Warnings"], api.start("sdk-low"), api.pause("sdk-low"),
                api.unpause("sdk-low"), api.restart("sdk-low", timeout=0),
                api.rename("sdk-low", "sdk-lower"), api.kill("sdk-lower", "SIGKILL"),
                api.wait("sdk-lower"), api.stop("sdk-lower", timeout=0),
                api.remove_container("sdk-lower"),
                said(lambda: api.remove_container("sdk-lower"))]  # fmt: skip
        config = api.create_container_config("root", "true", labels={"a": "1"})
        config["HostConfig"] = host
        again = api.create_container_from_config(config, name="sdk-low")
        seen += [sorted(again), api.inspect_container("sdk-low")["Config"]["Labels"]]
        for act in (api.start, api.stop, api.restart, api.pause, api.unpause, api.kill,
                    api.wait, api.inspect_container, api.top):  # fmt: skip
            seen.append((act.__name__, said(partial(act, "sdk-nobody"))))
        return [*seen, said(lambda: api.rename("sdk-nobody", "sdk-x"))]
    finally:
        forget(client, "sdk-low", "sdk-lower")


ASIDE: Mapping[str, frozenset[str]] = {
    "DockerClient": frozenset({"from_context", "from_env", "login"}),
    "ImageCollection": frozenset(
        {"get_registry_data", "pull", "push", "search", "create", "prepare_model"}
    ),
    "ContainerCollection": frozenset({"prepare_model"}),
}
"""What needs a registry, or never asks the engine; `create` of images is `pull`."""
