"""Builds on the real kernel: what comes out, what is rebuilt and why, what is left."""

import io
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.build.options import Options
from pyminidock.build.output import Message, Text
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import build, images, run
from pyminidock.errors import MinidockError
from pyminidock.store.blobs import Blobs
from tests.builder import Built, Context, File, Kitchen, kitchen, packed

pytestmark = pytest.mark.edge

HELLO = 'FROM alpine\nENTRYPOINT ["echo"]\nCMD ["Hello World"]\n'
APP: Context = {
    "Dockerfile": (
        "FROM busybox\n"
        "WORKDIR /app\n"
        "COPY requirements.txt .\n"
        "RUN cp requirements.txt installed\n"
        "COPY . .\n"
        'CMD ["cat", "sample.py"]\n'
    ),
    "requirements.txt": "flask\n",
    "sample.py": "print(1)\n",
    "templates": None,
    "templates/index.html": "<p>",
}


@pytest.fixture(scope="module")
def cook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    with kitchen(tmp_path_factory.mktemp("kitchen") / "root", "busybox", "alpine") as cook:
        yield cook
        assert cook.remains() == []


def output_of(cook: Kitchen, image: str, *command: str) -> str:
    """Run an image to its end; give what it printed."""
    house = cook.house
    container = run.create(house, CreateRequest(image, command=command))
    place = run.attach(house, container)
    run.start(house, container)
    streams = place.streams()
    assert streams is not None
    place.close()
    printed = b""
    while piece := streams.read():
        printed += piece[1]
    streams.close()
    run.wait(house, container)
    run.remove(house, container, force=True)
    return printed.decode()


# ── The course's two ─────────────────────────────────────────────────────────────────────


def test_hello_world_is_built_and_run(cook: Kitchen) -> None:
    built = cook.build({"Dockerfile": HELLO}, tags=("hello:latest",))
    assert output_of(cook, "hello") == "Hello World\n"
    assert output_of(cook, "hello", "you") == "you\n"
    short = [built.image[7:19]]
    assert built.text.splitlines()[0] == "Step 1/3 : FROM alpine"
    assert built.text.splitlines()[-2:] == [
        f"Successfully built {short[0]}", "Successfully tagged hello:latest",
    ]  # fmt: skip
    assert built.stages == [built.image]


def test_an_app_is_built_rebuilt_from_the_cache_and_edited(cook: Kitchen) -> None:
    first = cook.build(APP)
    assert output_of(cook, "app") == "print(1)\n"
    assert "Running in" in first.text
    again = cook.build(APP)
    assert again.image == first.image
    assert again.steps() == [(number, "hit") for number in range(2, 7)]
    assert not {"snapshot.prepared", "mounted", "container.created"} & {*again.kinds()}
    edited = cook.build({**APP, "sample.py": "print(2)\n"})
    assert edited.steps() == [
        (2, "hit"), (3, "hit"), (4, "hit"), (5, "file content sample.py"),
        (6, "parent step"),
    ]  # fmt: skip
    assert output_of(cook, "app") == "print(2)\n"


EDITS: list[tuple[str, dict[str, str | File], dict[int, str]]] = [
    ("touch", {"sample.py": File(b"print(1)\n", mtime=5)}, {}),
    ("chmod", {"sample.py": File(b"print(1)\n", 0o755)}, {5: "file mode sample.py"}),
    ("chown", {"sample.py": File(b"print(1)\n", uid=7)}, {5: "file owner sample.py"}),
    ("a new file", {"x.py": ""}, {5: "file added x.py"}),
    ("chmod and edit", {"sample.py": File(b"print(3)\n", 0o755)},
     {5: "file mode sample.py, file content sample.py"}),
    ("an early file", {"requirements.txt": "django\n"},
     {3: "file content requirements.txt", 5: "file content requirements.txt"}),
    ("two files", {"sample.py": "x", "templates/index.html": "y"},
     {5: "file content sample.py, file content templates/index.html"}),
    ("the last instruction", {"Dockerfile": str(APP["Dockerfile"]).replace("cat", "ls")},
     {5: "file content Dockerfile", 6: "instruction"}),
    ("an instruction", {"Dockerfile": str(APP["Dockerfile"]).replace("cp ", "cp -a ")},
     {4: "instruction", 5: "file content Dockerfile"}),
    ("the first instruction",
     {"Dockerfile": str(APP["Dockerfile"]).replace("WORKDIR /app", "WORKDIR /srv")},
     {2: "instruction", 5: "file content Dockerfile"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "causes"), EDITS, ids=[each[0] for each in EDITS])
def test_an_edit_rebuilds_what_it_must_and_says_why(
    tmp_path_factory: pytest.TempPathFactory, cook: Kitchen, name: str,
    edit: dict[str, str | File], causes: dict[int, str],
) -> None:  # fmt: skip
    tag = (f"edited-{name.replace(' ', '-')}:latest",)
    cook.build(APP, tags=tag)
    got = cook.build({**APP, **edit}, tags=tag).steps()
    first = min(causes, default=7)
    wanted = [(step, "hit") for step in range(2, first)]
    for step in range(first, 7):
        told = ["parent step"] if step > first else []
        wanted.append((step, ", ".join([*told, *filter(None, [causes.get(step)])])))
    assert got == wanted


def test_a_build_argument_that_changed_is_named_and_counts_from_the_next_run(
    cook: Kitchen,
) -> None:
    text = "FROM busybox\nARG WHO=me\nENV A=1\nRUN echo $WHO >/who\nCMD ls\n"
    tag = ("argued:latest",)
    cook.build({"Dockerfile": text}, tags=tag)
    built = cook.build({"Dockerfile": text}, tags=tag, arguments={"WHO": "secret-value"})
    assert built.steps() == [
        (2, "hit"), (3, "hit"), (4, "argument WHO"), (5, "parent step"),
    ]  # fmt: skip
    assert "secret-value" not in str([record.data for record in built.records])
    created_by = cook.image("argued").history[-2].created_by
    assert created_by == "|1 WHO=secret-value /bin/sh -c echo $WHO >/who"


def test_another_base_is_a_cause_of_its_own(cook: Kitchen) -> None:
    cook.build({"Dockerfile": "FROM busybox\nENV MOVED=1\n"})
    built = cook.build({"Dockerfile": "FROM alpine\nENV MOVED=1\n"}, tags=("moved:1",))
    assert built.steps() == [(2, "parent base")]


def test_a_link_and_what_it_leads_to_come_under_their_own_names(cook: Kitchen) -> None:
    """Docker's classic builder takes the one for the other: its sums are the same."""
    context: Context = {"a": "A", "link": File(link="a")}
    for source in ("link", "a", "link"):
        text = f"FROM busybox\nENV LINKS=1\nCOPY {source} /x/\n"
        files = cook.files(cook.build({**context, "Dockerfile": text}).image)
        assert [path for path in files if path.startswith("x/")] == [f"x/{source}"]


def test_a_build_that_finds_everything_waits_for_no_disk(
    cook: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes no row, and looks for the documents of two images only."""
    first = cook.build(APP)
    looks: list[str] = []
    store, at_hand = cook.house.store, Blobs._is_at_hand

    def look(blobs: Blobs, digest: str, content: bytes) -> bool:
        looks.append(digest)
        return at_hand(blobs, digest, content)

    monkeypatch.setattr(Blobs, "_is_at_hand", look)
    wal = store.db.path.with_name("state.db-wal").read_bytes()
    again = cook.build(APP)
    assert again.image == first.image
    assert {how for _, how in again.steps()} == {"hit"}
    assert {*looks} == {images.find(cook.house, "busybox").row.id, first.image}
    assert store.db.path.with_name("state.db-wal").read_bytes() == wal


def test_a_step_that_was_found_has_to_be_there_if_something_is_to_stand_on_it(
    cook: Kitchen,
) -> None:
    """A lost document on the way is passed; at the end, or under a new step, it is told."""
    steps = "FROM busybox\nENV A=lost\nENV B=lost\n"
    first = cook.build({"Dockerfile": steps})
    blobs = cook.house.store.blobs
    middle = cook.house.store.images.get(first.image).parent
    for image, is_missed in ((middle, False), (first.image, True)):
        path = blobs.path(image)
        content = path.read_bytes()
        path.unlink()
        again = cook.build({"Dockerfile": steps})
        beyond = cook.build({"Dockerfile": steps + f"ENV C={image}\n"})
        path.write_bytes(content)
        assert bool(again.failure) is is_missed
        assert bool(beyond.failure) is is_missed
        assert cook.build({"Dockerfile": steps}).image == first.image


def test_without_cache_everything_is_done_and_said_so(cook: Kitchen) -> None:
    cook.build(APP)
    built = cook.build(APP, uses_cache=False)
    assert built.steps()[0] == (2, "disabled")
    assert "Using cache" not in built.text


# ── Instructions ─────────────────────────────────────────────────────────────────────────


def test_every_setting_reaches_the_configuration(cook: Kitchen) -> None:
    text = """FROM busybox
MAINTAINER Bob <b@x>
ARG V=1
ENV A=$V B="two words"
LABEL version=$V about="a b"
EXPOSE 80 53/udp
USER 1:2
WORKDIR sub
VOLUME /data
STOPSIGNAL SIGINT
SHELL ["/bin/sh", "-xc"]
HEALTHCHECK --interval=5s --retries=4 CMD true
ONBUILD RUN echo x
ENTRYPOINT ["sleep"]
CMD echo $A
"""
    built = cook.build({"Dockerfile": text}, labels={"late": "$V"})
    image = cook.image(built.image)
    config = image.config
    assert config.environment[-2:] == ("A=1", "B=two words")
    assert dict(config.labels) == {"version": "1", "about": "a b", "late": "$V"}
    assert config.exposed_ports == ("53/udp", "80/tcp")
    assert (config.user, config.working_directory) == ("1:2", "/sub")
    assert (config.volumes, config.stop_signal) == (("/data",), "SIGINT")
    assert (config.entrypoint, config.command) == (
        ("sleep",), ("/bin/sh", "-xc", "echo $A"),
    )  # fmt: skip
    assert config.healthcheck
    assert (config.healthcheck.interval_ns, config.healthcheck.retries) == (5 * 10**9, 4)
    assert (config.on_build, image.author) == (("RUN echo x",), "Bob <b@x>")
    assert [entry.created_by for entry in image.history[-3:]] == [
        '/bin/sh -xc #(nop)  ENTRYPOINT ["sleep"]',
        '/bin/sh -xc #(nop)  CMD ["/bin/sh" "-xc" "echo $A"]',
        "/bin/sh -xc #(nop)  LABEL late=$V",
    ]
    assert len(image.diff_ids) == sum(not entry.is_empty_layer for entry in image.history)
    assert cook.files(built.image)["sub"].uid == 0


def test_triggers_of_the_base_are_carried_out_and_then_gone(cook: Kitchen) -> None:
    base = "FROM busybox\nONBUILD COPY a /a\nONBUILD RUN cp /a /b\n"
    cook.build({"Dockerfile": base}, tags=("base:latest",))
    built = cook.build({"Dockerfile": "FROM base\nENV X=1\n", "a": "hello"})
    assert "# Executing 2 build triggers\n" in built.text
    assert cook.files(built.image)["b"].size == 5
    assert cook.image(built.image).config.on_build == ()


def test_files_come_as_they_are_asked_for(cook: Kitchen) -> None:
    text = """FROM busybox
RUN mkdir -p /old && chmod 700 /old && echo old >/old/file && ln -s old /link
COPY a b.sh /new/
COPY --chown=7:8 --chmod=600 a /owned/a
COPY a /link/
COPY d /old
COPY *.sh /w/
COPY <<EOF /here/doc
hello $HOME
EOF
"""
    context: Context = {
        "Dockerfile": text, "a": "A", "b.sh": File(b"B", 0o755), "d": None, "d/x": "X",
        "d/l": File(link="x"),
    }  # fmt: skip
    files = cook.files(cook.build(context).image)
    assert (files["new"].mode, files["new/b.sh"].mode) == (0o755, 0o755)
    assert files["owned/a"][:5] == ("file", 0o600, 7, 8, 1)
    assert files["owned"][:4] == ("directory", 0o755, 7, 8)
    assert (files["old"].mode, files["old/a"].size, files["old/file"].size) == (0o700, 1, 4)
    assert (files["link"].kind, files["old/l"].link) == ("link", "x")
    assert files["old/x"].size == files["w/b.sh"].size == 1
    assert files["here/doc"].size == len("hello \n")


def test_stages_copy_from_each_other_and_those_nobody_needs_are_skipped(
    cook: Kitchen,
) -> None:
    text = """FROM busybox AS build
RUN echo made >/made && chown 5:6 /made && chmod 751 /made
FROM busybox AS unused
RUN exit 1
FROM scratch
COPY --from=build /made /bin/busybox /
COPY --from=busybox /etc/passwd /etc/
CMD ["/busybox", "cat", "/made"]
"""
    built = cook.build({"Dockerfile": text}, tags=("staged:latest",))
    assert output_of(cook, "staged") == "made\n"
    assert cook.files("staged")["made"][1:4] == (0o751, 5, 6)
    assert "Step 4/8 : RUN exit 1 (skipped: no stage needs it)\n" in built.text
    assert [each["step"] for each in built.told("step.skipped")] == [3, 4]
    failed = cook.build({"Dockerfile": text}, builds_all_stages=True, removes_always=True)
    assert failed.failure
    assert failed.failure.code == 1


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed_:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size, info.uid, info.mode = len(name), 9, 0o640
            packed_.addfile(info, io.BytesIO(name.encode()))
    return out.getvalue()


def test_add_unpacks_archives_and_whiteouts_mean_nothing_in_them(cook: Kitchen) -> None:
    context: Context = {
        "Dockerfile": "FROM busybox\nADD any.name /x\nADD plain.gz /y/\nCOPY any.name /z\n",
        "any.name": archive("d/f", "g"), "plain.gz": b"\x1f\x8bnot gzip",
    }  # fmt: skip
    files = cook.files(cook.build(context).image)
    assert files["x/d/f"][:4] == ("file", 0o640, 9, 0)
    assert files["y/plain.gz"].size == len(b"\x1f\x8bnot gzip")
    assert files["z"].kind == "file"
    refused = {**context, "any.name": archive("d/.wh.f")}
    with_mark = cook.build(refused)  # a layer cannot hold such a name
    assert with_mark.failure
    assert ".wh." in with_mark.failure.message


@pytest.mark.parametrize(
    ("steps", "printed"),
    [
        ("RUN <<EOF\necho one\necho two\nEOF", "one\ntwo\n"),
        ("RUN cat <<EOF\nhi $USER_\nEOF", "hi \n"),
        ("RUN <<EOF\n#!/bin/busybox cat\nbody\nEOF", "#!/bin/busybox cat\nbody\n"),
        ('RUN ["echo", "$HOME"]', "$HOME\n"),
        ("RUN echo $HOME; id -u", "/root\n0\n"),
        ("USER 5\nRUN id -u", "5\n"),
        ("ARG A=1\nENV B=2\nRUN echo $A $B", "1 2\n"),
        ("WORKDIR /w\nRUN pwd", "/w\n"),
        ("RUN ls /sys/class/net", "lo\n"),
        ("RUN echo é", "é\n"),
    ],
)
def test_what_a_run_prints(cook: Kitchen, steps: str, printed: str) -> None:
    built = cook.build({"Dockerfile": f"FROM busybox\n{steps}\n"}, uses_cache=False)
    assert built.failure is None
    text = built.text
    start = text.index(" ---> Running in ")
    begin = text.index("\n", start) + 1
    assert text[begin : text.index(" ---> Removed intermediate")] == printed
    told = "".join(str(each["text"]) for each in built.told("step.printed"))
    assert told == printed


def test_an_empty_run_makes_an_image_and_no_layer(cook: Kitchen) -> None:
    built = cook.build({"Dockerfile": "FROM busybox\nRUN true\n"})
    image = cook.image(built.image)
    assert image.history[-1].is_empty_layer
    assert image.diff_ids == cook.image("busybox").diff_ids


# ── Failures ─────────────────────────────────────────────────────────────────────────────


def test_a_run_that_fails_says_how_to_look_around_before_it(cook: Kitchen) -> None:
    text = "FROM busybox\nENV A=1\nRUN echo no >/dev/stderr; exit 3\nRUN echo never\n"
    built = cook.build({"Dockerfile": text}, removes_always=True)
    assert built.failure
    assert built.failure.code == 3
    assert built.failure.message == (
        "The command '/bin/sh -c echo no >/dev/stderr; exit 3' returned a non-zero code: 3"
    )
    (failed,) = built.told("build.failed")
    before = built.told("step.finished")[-1]["image"]
    assert failed["enter_command"] == f"minidock run -it {str(before)[7:19]} sh"
    assert str(failed["enter_command"]) in built.text
    assert output_of(cook, str(before), "sh", "-c", "echo $A") == "1\n"


def test_a_failed_container_stays_unless_it_was_to_be_removed(cook: Kitchen) -> None:
    text = "FROM busybox\nRUN echo kept >/file; exit 1\n"
    kept = cook.build({"Dockerfile": text})
    assert "Removed intermediate" not in kept.text
    (container,) = [life.id for life in cook.house.lives()]
    assert cook.house.kept(container).exit_code == 1
    upper = Path(cook.house.kept(container).snapshot.upper)
    assert (upper / "file").read_text() == "kept\n"
    run.remove(cook.house, container)
    cook.build({"Dockerfile": text}, removes_always=True)
    assert cook.house.lives() == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM busybox\nCOPY nope /\n", "COPY failed: file not found in build context or "
         "excluded by .dockerignore: stat nope: file does not exist"),
        ("FROM busybox\nCOPY ../x /\n",
         "COPY failed: forbidden path outside the build context: ../x ()"),
        ("FROM busybox\nCOPY --chown=zzz Dockerfile /\n",
         "unable to convert uid/gid chown string to host mapping: can't find uid for user "
         "zzz: no such user: zzz"),
        ("FROM busybox\nEXPOSE abc\n", "Invalid containerPort: abc"),
        ("FROM busybox\nSTOPSIGNAL FOO\n", "invalid signal: FOO"),
        ("FROM busybox\nWORKDIR /bin/sh\n", "Cannot mkdir: /bin/sh is not a directory"),
        ("FROM busybox\nWORKDIR /bin/sh/x/y\n", "lstat /bin/sh/x: not a directory"),
        ("FROM busybox\nRUN ln -s l /l\nWORKDIR /l/x\n",
         "evalSymlinksInScope: too many links in /l/x"),
        ("FROM busybox\nRUN ln -s l /l\nCOPY Dockerfile /l\n",
         "failed to copy files: evalSymlinksInScope: too many links in /l"),
        ("FROM scratch\nRUN true\n",
         "failed to create task for container: failed to create shim task: OCI runtime "
         "create failed: runc create failed: unable to start container process: exec: "
         '"/bin/sh": stat /bin/sh: no such file or directory: unknown'),
        ("FROM busybox\nCOPY --from=nope / /x\n",
         "invalid from flag value nope: No such image: nope:latest"),
        ("FROM --platform=zz busybox\n", 'failed to parse platform zz: "zz": unknown '
         "operating system or architecture: invalid argument"),
        ("FROM SCRATCH\n", "invalid reference format: repository name (library/SCRATCH) "
         "must be lowercase"),
        ("ARG X\nFROM busybox\nENV $X=1\n", "invalid environment variable: =1"),
        ("FROM busybox\nUSER nobodyx\nRUN true\n",
         "unable to find user nobodyx: no matching entries in passwd file"),
        ("FROM scratch\n", "No image was generated. Is your Dockerfile empty?"),
        ("ARG X\nFROM ${X}\n", "base name (${X}) should not be blank"),
        ("FROM nope\nENV A=1\n", "No such image: nope:latest"),
        ("FROM busybox\nRUN --mount=type=cache,target=/ true\n",
         'invalid mount target "/"'),
        ("FROM busybox\nCOPY http://x/y /\n",
         "COPY failed: source can't be a URL for COPY"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_fails_in_dockers_words(
    cook: Kitchen, text: str, message: str
) -> None:
    built = cook.build({"Dockerfile": text})
    assert built.failure
    assert built.failure.message == message
    assert built.failure.caret.endswith("^")
    assert built.image == ""


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"x": ""}, "Cannot locate specified Dockerfile: Dockerfile"),
        ({"Dockerfile": "RUNN x\n"},
         "dockerfile parse error on line 1: unknown instruction: RUNN (did you mean RUN?)"),
        ({"Dockerfile": File(link="/etc/shadow")}, "failed to read dockerfile: Dockerfile"),
        ({"Dockerfile": File(kind=tarfile.FIFOTYPE)},
         "failed to read dockerfile: Dockerfile"),
    ],
)  # fmt: skip
def test_what_cannot_begin_is_refused_before_the_first_step(
    cook: Kitchen, context: Context, message: str
) -> None:
    with pytest.raises(MinidockError) as refusal:
        cook.build(context)
    assert refusal.value.what.startswith(message)


def test_an_archive_does_not_replace_a_file(cook: Kitchen) -> None:
    text = "FROM busybox\nADD a.tar /etc/passwd\n"
    context: Context = {"Dockerfile": text, "a.tar": packed({"x": "x"})}
    failure = cook.build(context).failure
    assert failure
    assert failure.message == (
        "failed to copy files: failed to unpack: mkdir /etc/passwd: not a directory"
    )


def test_a_directory_takes_the_place_of_a_file_within_what_is_copied(
    cook: Kitchen,
) -> None:
    text = "FROM busybox\nCOPY file /d\nCOPY file /t/e\nCOPY . /\nCOPY d /t\n"
    context: Context = {
        "Dockerfile": text, "file": "f", "d": None, "d/x": "X", "d/e": None, "d/e/y": "Y",
    }  # fmt: skip
    built = cook.build(context)
    assert built.failure is None
    files = cook.files(built.image)
    assert {"d/x", "d/e/y", "t/x", "t/e/y"} <= files.keys()
    assert sorted(output_of(cook, built.image, "find", "/d", "/t").split()) == [
        "/d", "/d/e", "/d/e/y", "/d/x", "/t", "/t/e", "/t/e/y", "/t/x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("COPY f\0 /", "COPY failed: file not found in build context or excluded by "
         ".dockerignore: stat f\0: file does not exist"),
        ("COPY Dockerfile /x\0", "failed to copy files: lstat /x\0: invalid argument"),
        ("WORKDIR /x\0", "lstat /x\0: invalid argument"),
        ("COPY <<\0 /\nx\n\0", "COPY failed: open \0: invalid argument"),
        (f"COPY Dockerfile /{'x' * 300}",
         f"failed to copy files: lstat /{'x' * 300}: file name too long"),
        (f"WORKDIR /{'x' * 300}", f"lstat /{'x' * 300}: file name too long"),
        (f"COPY {'x' * 300} /", "COPY failed: file not found in build context or excluded "
         f"by .dockerignore: stat {'x' * 300}: file does not exist"),
    ],
)  # fmt: skip
def test_a_name_that_can_be_none_is_refused(cook: Kitchen, step: str, message: str) -> None:
    failure = cook.build({"Dockerfile": f"FROM busybox\n{step}\n"}).failure
    assert failure
    assert failure.message == message


def test_an_archive_that_is_cut_is_refused(cook: Kitchen) -> None:
    whole = packed({"Dockerfile": "FROM busybox\n", "big": "x" * 5000})
    with pytest.raises(MinidockError):
        cook.build(whole[:3000])


# ── Cancelling ───────────────────────────────────────────────────────────────────────────


def test_a_build_that_is_cancelled_leaves_nothing(cook: Kitchen) -> None:
    text = "FROM busybox\nRUN echo begun; sleep 100\n"
    building = build.start(cook.house, Options())
    building.begin(io.BytesIO(packed({"Dockerfile": text})))
    said: list[Message] = []
    begun = threading.Event()

    def hear(message: Message) -> None:
        said.append(message)
        if isinstance(message, Text) and "begun" in message.text:
            begun.set()

    thread = threading.Thread(target=building.run, args=(hear,))
    thread.start()
    assert begun.wait(20)
    building.cancel()
    thread.join(20)
    assert not thread.is_alive()
    assert getattr(said[-1], "message", "") == "Build cancelled"
    assert cook.remains() == []


def test_a_gate_holds_a_step_and_an_abort_undoes(cook: Kitchen) -> None:
    house = cook.house
    building = build.start(house, Options())
    building.begin(io.BytesIO(packed({"Dockerfile": "FROM busybox\nENV HELD=1\n"})))
    gate = house.recorder.gate(building.story, "step.started step=2")
    said: list[Message] = []
    thread = threading.Thread(target=building.run, args=(said.append,))
    thread.start()
    held = gate.next_held()
    assert held is not None
    assert held.data["step"] == 2
    gate.abort()
    thread.join(20)
    assert not thread.is_alive()
    assert cook.remains() == []
    house.recorder.flush()
    assert house.journals.read(building.story).records[-1].kind != "image.built"


def test_each_step_can_be_run_by_its_id_and_knows_its_parent(cook: Kitchen) -> None:
    built: Built = cook.build(APP)
    finished = [str(each["image"]) for each in built.told("step.finished")]
    parents = [cook.house.store.images.parent(image) for image in finished[1:]]
    assert parents == finished[:-1]
    assert output_of(cook, finished[2], "ls", "/app") == "requirements.txt\n"
    assert [image.partition(":")[0] for image in finished] == ["sha256"] * 6
