r"""Edits between two builds, and what each of them is the cause of.

    Scenario("chmod", files={"src/sample.py": File(SAMPLE, 0o755)},
             causes={8: ("file mode src/sample.py",)})

An app is built, edited, and built again.  `causes` tells by step what our engine must say:
"hit" is never told; every step behind the first miss says "parent step" as well, and that
is left out here.  What Docker rebuilds is not written down: Docker is asked.
"""

import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.builder import Context, File

Causes = Mapping[int, Sequence[str]]

SAMPLE = b"print(1)\n"
DOCKERFILE = """\
FROM busybox
LABEL scenario=@
ARG V=1
ENV E=1
WORKDIR /app
COPY requirements.txt .
RUN cat requirements.txt >installed
COPY src /app/src
CMD ["cat", "src/sample.py"]
"""
APP: Context = {
    "requirements.txt": "flask\n",
    "src": None,
    "src/sample.py": SAMPLE,
    "src/link": File(link="sample.py"),
    "notes.txt": "not copied\n",
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One edit; `between` are commands that both engines are given.

    @ is the name, % a directory of the engine's own.

    `files` and `replaced` (of the Dockerfile's text) are the edit; a file of `gone` is
    removed.  `base` are files and text of the first build, if they are not the app's.
    """

    name: str
    causes: Causes = field(default_factory=dict)
    files: Context = field(default_factory=dict)
    gone: Sequence[str] = ()
    replaced: Sequence[tuple[str, str]] = ()
    text: str = DOCKERFILE
    base: Context = field(default_factory=dict)
    first: Mapping[str, Any] = field(default_factory=dict)
    second: Mapping[str, Any] = field(default_factory=dict)
    between: Sequence[tuple[str, ...]] = ()
    before: Sequence[str] = ()  # Dockerfiles that are built before, as @:1, @:2, …

    def contexts(self) -> tuple[Context, Context]:
        """Give what is built first, and what then."""
        text = self.named(self.text)
        old: Context = {**APP, **self.base, "Dockerfile": text}
        for before, after in self.replaced:
            assert self.named(before) in text, before
            text = text.replace(self.named(before), self.named(after))
        new = {**old, "Dockerfile": text, **self.files}
        return old, {name: new[name] for name in new if name not in self.gone}

    @property
    def tag(self) -> str:
        """The name of the image."""
        return "edit-" + re.sub("[^a-z0-9]+", "-", self.name.lower()).strip("-")

    def named(self, text: str) -> str:
        """Put the image's name into a text."""
        return text.replace("@", self.tag)


def archive(content: bytes) -> bytes:
    """Pack one file as a tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        info = tarfile.TarInfo("inner")
        info.size = len(content)
        made.addfile(info, io.BytesIO(content))
    return out.getvalue()


def with_steps(*steps: str) -> str:
    """Write a Dockerfile of its own."""
    return "\n".join(("FROM busybox", "LABEL scenario=@", *steps, ""))


def edited(text: str = "print(2)\n") -> Context:
    return {"src/sample.py": text}


CONTENT = ("file content src/sample.py",)
RUN_V = ("argument V",)

FILES = [
    Scenario("nothing"),
    Scenario("an edit", {8: CONTENT}, edited()),
    Scenario("touch", {}, {"src/sample.py": File(SAMPLE, mtime=5)}),
    Scenario("chmod", {8: ("file mode src/sample.py",)},
             {"src/sample.py": File(SAMPLE, 0o755)}),
    Scenario("chown in the context", {8: ("file owner src/sample.py",)},
             {"src/sample.py": File(SAMPLE, uid=7)}),
    Scenario("an edit of the same length and a chmod",
             {8: ("file mode src/sample.py", *CONTENT)},
             {"src/sample.py": File(b"print(7)\n", 0o755)}),
    Scenario("a new file", {8: ("file added src/new.py",)}, {"src/new.py": ""}),
    Scenario("a new file that nobody copies", {}, {"other.txt": "x"}),
    Scenario("a file gone", {8: ("file removed src/link",)}, gone=["src/link"]),
    Scenario("a file renamed",
             {8: ("file added src/main.py", "file removed src/sample.py")},
             {"src/main.py": SAMPLE}, gone=["src/sample.py"]),
    Scenario("another link", {8: ("file link src/link",)}, {"src/link": File(link="/etc")}),
    Scenario("a link becomes a file", {8: ("file kind src/link",)},
             {"src/link": File(b"x")}),
    Scenario("what a link leads to, outside of what is copied",
             {8: ("file content src/far",)}, {"notes.txt": "other"},
             base={"src/far": File(link="../notes.txt")}),
    Scenario("a link in another spelling", {8: ("file link src/link",)},
             {"src/link": File(link="./sample.py")}),
    Scenario("a link to nothing leads to another nothing", {8: ("file link src/link",)},
             {"src/link": File(link="other")}, base={"src/link": File(link="nothing")}),
    Scenario("an empty directory", {8: ("file added src/empty",)}, {"src/empty": None}),
    Scenario("the mode of a directory", {8: ("file mode src",)},
             {"src": File(mode=0o700, kind=tarfile.DIRTYPE)}),
    Scenario("a hard link", {8: ("file added src/twin",)},
             {"src/twin": File(kind=tarfile.LNKTYPE, link="src/sample.py")}),
    Scenario("an early file", {6: ("file content requirements.txt",)},
             {"requirements.txt": "django\n"}),
    Scenario("an early file and a late one",
             {6: ("file content requirements.txt",), 8: CONTENT},
             {"requirements.txt": "django\n", **edited()}),
    Scenario("the ignore file lets a file vanish", {8: ("file removed src/link",)},
             {".dockerignore": "src/link\n"}, gone=["src/link"],
             base={".dockerignore": "*.md\n"}),
    Scenario("the ignore file itself is copied", {3: ("file content .dockerignore",)},
             {".dockerignore": "*.txt\n"}, base={".dockerignore": "*.md\n"},
             text=with_steps("COPY . /")),
    Scenario("the Dockerfile itself is copied",
             {3: ("file content Dockerfile",), 4: ("instruction",)},
             replaced=[("CMD ls", "CMD ps")], text=with_steps("COPY . /", "CMD ls")),
    Scenario("a wildcard meets a new file", {3: ("file added b.txt",)}, {"b.txt": "b"},
             text=with_steps("COPY *.txt /t/", "RUN ls /t")),
    Scenario("a wildcard meets a file less", {3: ("file removed b.txt",)}, gone=["b.txt"],
             base={"b.txt": "b"}, text=with_steps("COPY *.txt /t/", "RUN ls /t")),
    Scenario("one of two sources", {3: ("file content notes.txt",)}, {"notes.txt": "other"},
             text=with_steps("COPY notes.txt requirements.txt /t/")),
    Scenario("an archive", {3: ("file content a.tar",)}, {"a.tar": archive(b"two")},
             base={"a.tar": archive(b"one")}, text=with_steps("ADD a.tar /a", "RUN ls /a")),
]  # fmt: skip

INSTRUCTIONS = [
    Scenario("a RUN", {7: ("instruction",)},
             replaced=[("cat requirements.txt >", "cat <requirements.txt >")]),
    Scenario("a comment and blanks", {},
             replaced=[("WORKDIR /app\n", "# here\n\nWORKDIR   /app\n")]),
    Scenario("lower case", {}, replaced=[("WORKDIR", "workdir"), ("COPY src", "copy src")]),
    Scenario("blanks within a RUN", {7: ("instruction",)},
             replaced=[("requirements.txt >installed", "requirements.txt  >installed")]),
    Scenario("a RUN on two lines", {7: ("instruction",)},
             replaced=[("cat requirements.txt", "cat \\\n  requirements.txt")]),
    Scenario("the order", {4: ("instruction moved",)},
             replaced=[("ENV E=1\nWORKDIR /app\n", "WORKDIR /app\nENV E=1\n")]),
    Scenario("one more", {6: ("instruction added",)},
             replaced=[("COPY req", "USER root\nCOPY req")]),
    Scenario("one more and an edit", {6: ("instruction added",), 9: CONTENT}, edited(),
             replaced=[("COPY req", "USER root\nCOPY req")]),
    Scenario("one less", {7: ("instruction removed",)},
             replaced=[("COPY notes.txt .\n", "")], text=DOCKERFILE.replace(
             "RUN", "COPY notes.txt .\nRUN")),
    Scenario("ENV", {4: ("instruction",)}, replaced=[("E=1", "E=2")]),
    Scenario("ENV and a file", {4: ("instruction",), 8: CONTENT}, edited(),
             replaced=[("E=1", "E=2")]),
    Scenario("ENV spelt otherwise", {}, replaced=[("ENV E=1", "ENV E 1")]),
    Scenario("ENV through an ARG", {4: ("variable V",), 5: RUN_V}, text=with_steps(
             "ARG V=1", "ENV E=$V", "RUN true"), first={"buildargs": {"V": "1"}},
             second={"buildargs": {"V": "2"}}),
    Scenario("labels in another order", {3: ("instruction",)},
             replaced=[("a=1 b=2", "b=2 a=1")], text=with_steps("LABEL a=1 b=2", "CMD ls")),
    Scenario("WORKDIR makes another directory", {5: ("instruction",)},
             replaced=[("WORKDIR /app", "WORKDIR /srv")]),
    Scenario("--chown", {8: ("instruction",)},
             replaced=[("COPY src", "COPY --chown=7:8 src")]),
    Scenario("--chown and the file", {8: ("instruction", *CONTENT)}, edited(),
             replaced=[("COPY src", "COPY --chown=7:8 src")]),
    Scenario("the destination", {8: ("instruction",)},
             replaced=[("/app/src", "/app/source")]),
    Scenario("ADD instead of COPY", {8: ("instruction",)},
             replaced=[("COPY src", "ADD src")]),
    Scenario("CMD as a text", {9: ("instruction",)},
             replaced=[('["cat", "src/sample.py"]', "cat src/sample.py")]),
    Scenario("VOLUME", {3: ("instruction",)}, replaced=[("/v1", "/v2")],
             text=with_steps("VOLUME /v1", "RUN true")),
    Scenario("VOLUME spelt otherwise", {}, replaced=[("VOLUME /v1", 'VOLUME ["/v1"]')],
             text=with_steps("VOLUME /v1", "CMD ls")),
    Scenario("HEALTHCHECK", {3: ("instruction",)}, replaced=[("=5s", "=6s")],
             text=with_steps("HEALTHCHECK --interval=5s CMD true", "CMD ls")),
    Scenario("HEALTHCHECK spelt otherwise", {}, replaced=[("=60s", "=1m")],
             text=with_steps("HEALTHCHECK --interval=60s CMD true", "CMD ls")),
    Scenario("SHELL", {3: ("instruction",), 4: ("setting shell",), 5: ("setting shell",)},
             replaced=[('"-c"', '"-ec"')],
             text=with_steps('SHELL ["/bin/sh", "-c"]', "RUN true", "CMD ls")),
    Scenario("EXPOSE in another order", {},
             replaced=[("80 443", "443 80")], text=with_steps("EXPOSE 80 443", "CMD ls")),
    Scenario("USER", {3: ("instruction",)}, replaced=[("USER 5", "USER 6")],
             text=with_steps("USER 5", "RUN true")),
    Scenario("STOPSIGNAL", {3: ("instruction",)}, replaced=[("SIGINT", "SIGTERM")],
             text=with_steps("STOPSIGNAL SIGINT", "CMD ls")),
    Scenario("ENTRYPOINT", {3: ("instruction",)}, replaced=[('"echo"', '"cat"')],
             text=with_steps('ENTRYPOINT ["echo"]', "CMD ls")),
    Scenario("ONBUILD", {3: ("instruction",)}, replaced=[("RUN true", "RUN false")],
             text=with_steps("ONBUILD RUN true", "CMD ls")),
]  # fmt: skip

ARGUMENTS = [
    Scenario("a build argument", {7: RUN_V}, second={"buildargs": {"V": "2"}}),
    Scenario("a build argument and a file", {7: RUN_V, 8: CONTENT}, edited(),
             second={"buildargs": {"V": "2"}}),
    Scenario("an early file and a build argument",
             {6: ("file content requirements.txt",), 7: RUN_V},
             {"requirements.txt": "django\n"}, second={"buildargs": {"V": "2"}}),
    Scenario("the default passed", {}, second={"buildargs": {"V": "1"}}),
    Scenario("another default", {3: ("instruction",), 7: RUN_V},
             replaced=[("ARG V=1", "ARG V=2")]),
    Scenario("another default, but the value passed", {3: ("instruction",)},
             replaced=[("ARG V=1", "ARG V=2")], first={"buildargs": {"V": "1"}},
             second={"buildargs": {"V": "1"}}),
    Scenario("an argument that ENV hides", {}, second={"buildargs": {"E": "2"}},
             text=with_steps("ARG E", "ENV E=1", "RUN true")),
    Scenario("an argument nobody declared", {}, second={"buildargs": {"ZZ": "2"}}),
    Scenario("an argument declared too late", {}, second={"buildargs": {"V": "2"}},
             text=with_steps("RUN true", "ARG V")),
    Scenario("an argument without a value before", {4: RUN_V},
             second={"buildargs": {"V": "2"}}, text=with_steps("ARG V", "RUN true")),
    Scenario("an argument in a COPY", {4: ("variable V",)},
             first={"buildargs": {"V": "a"}}, second={"buildargs": {"V": "b"}},
             text=with_steps("ARG V", "COPY notes.txt /$V")),
    Scenario("a proxy where none was", {3: ("setting proxy",)},
             second={"buildargs": {"HTTP_PROXY": "http://127.0.0.1:1"}},
             text=with_steps("RUN true", "CMD ls")),
    Scenario("another proxy", {}, first={"buildargs": {"HTTP_PROXY": "http://127.0.0.1:1"}},
             second={"buildargs": {"HTTP_PROXY": "http://127.0.0.1:2"}},
             text=with_steps("RUN true", "CMD ls")),
    Scenario("another proxy that is declared", {4: ("argument HTTP_PROXY",)},
             first={"buildargs": {"HTTP_PROXY": "http://127.0.0.1:1"}},
             second={"buildargs": {"HTTP_PROXY": "http://127.0.0.1:2"}},
             text=with_steps("ARG HTTP_PROXY", "RUN true")),
    Scenario("a --label", {4: ("instruction",)}, first={"labels": {"l": "1"}},
             second={"labels": {"l": "2"}}, text=with_steps("CMD ls")),
    Scenario("no cache", dict.fromkeys(range(2, 10), ("disabled",)),
             second={"nocache": "1"}),
]  # fmt: skip

TWO_BASES = ("FROM busybox\nLABEL base=@1\n", "FROM busybox\nLABEL base=@2\n")
ON_A_BASE = "FROM @:base\nENV A=1\nCOPY src /src\nRUN true\n"
STAGES = """\
FROM busybox AS build
LABEL scenario=@
COPY src /src
RUN cat /src/sample.py >/made
FROM busybox AS run
LABEL scenario=@-run
COPY --from=build /made /made
CMD ["cat", "/made"]
"""

IMAGES = [
    Scenario("the base is another image", {2: ("parent base",)}, before=TWO_BASES,
             text=ON_A_BASE, between=[("tag", "@:2", "@:base")]),
    Scenario("the base is another image and a file is", {2: ("parent base",), 3: CONTENT},
             edited(), before=TWO_BASES, text=ON_A_BASE,
             between=[("tag", "@:2", "@:base")]),
    Scenario("the base is another image and the first step", {
             2: ("instruction", "parent base")}, before=TWO_BASES, text=ON_A_BASE,
             replaced=[("A=1", "A=2")], between=[("tag", "@:2", "@:base")]),
    Scenario("the base has another name", {}, before=TWO_BASES[:1],
             text=ON_A_BASE.replace("@:base", "@:1"), replaced=[("@:1", "@:same")],
             between=[("tag", "@:1", "@:same")]),
    Scenario("ARG before FROM", {3: ("parent base",)}, before=TWO_BASES,
             text="ARG TAG=1\nFROM @:$TAG\nENV A=1\nRUN true\n",
             second={"buildargs": {"TAG": "2"}}),
    Scenario("ARG before FROM and a file", {3: ("parent base",), 4: CONTENT}, edited(),
             before=TWO_BASES, text="ARG TAG=1\nFROM @:$TAG\nENV A=1\nCOPY src /src\n",
             second={"buildargs": {"TAG": "2"}}),
    Scenario("a trigger's file", {1: ("file content src/sample.py",)}, edited(),
             before=("FROM busybox\nLABEL base=@\nONBUILD COPY src /src\n",),
             text="FROM @:1\nCMD ls\n"),
    Scenario("an earlier stage's file", {3: CONTENT, 7: ("file content made",)}, edited(),
             text=STAGES),
    Scenario("an earlier stage, same result", {4: ("instruction",)},
             replaced=[("cat /src/sample.py >", "cat </src/sample.py >")], text=STAGES),
    Scenario("an earlier stage and the last", {3: CONTENT, 7: ("file content made",),
             8: ("instruction",)}, edited(), replaced=[('["cat", "/made"]', "ls")],
             text=STAGES),
    Scenario("a target", {}, second={"target": "build"}, text=STAGES),
    Scenario("a target and a file", {3: CONTENT}, edited(), first={"target": "build"},
             second={"target": "build"}, text=STAGES),
    Scenario("a stage that nobody needs", {}, text=(
             "FROM busybox AS idle\nLABEL scenario=@\nFROM busybox\nCMD ls\n")),
    Scenario("a stage on a stage", {3: CONTENT, 5: ("parent base",)}, edited(), text=(
             "FROM busybox AS build\nLABEL scenario=@\nCOPY src /src\nFROM build\n"
             "CMD ls\n")),
    Scenario("the last image removed", {9: ("removed",)}, between=[("rmi", "--no-prune",
             "@")]),
    Scenario("the image and its steps removed", {2: ("removed",)},
             between=[("rmi", "@")]),
    Scenario("another name for the image", {}, between=[("tag", "@", "@:other"),
             ("rmi", "@")]),
    Scenario("built under another name", {8: CONTENT}, edited(), second={"t": "@:other"}),
]  # fmt: skip

TRAVEL = (("save", "-o", "%/@.tar", "@"), ("rmi", "@"), ("load", "-i", "%/@.tar"))
FROM_ITSELF = {"cachefrom": ["@"]}
FORGOTTEN = ("forgotten",)
SOURCES = [
    Scenario("a loaded image is no cache", {2: ("removed",)}, between=TRAVEL),
    Scenario("a loaded image is named as one", {}, between=TRAVEL, second=FROM_ITSELF),
    Scenario("a loaded image is named, and a file edited", {8: FORGOTTEN}, edited(),
             between=TRAVEL, second=FROM_ITSELF),
    Scenario("a loaded image is named, and an argument changed", {7: FORGOTTEN},
             between=TRAVEL, second={**FROM_ITSELF, "buildargs": {"V": "2"}}),
    Scenario("a loaded image is named behind one that is not here", {}, between=TRAVEL,
             second={"cachefrom": ["nowhere:1", "@"]}),
    Scenario("the image itself is named", {}, second=FROM_ITSELF),
    Scenario("the image itself is named, and a file edited", {8: CONTENT}, edited(),
             second=FROM_ITSELF),
    Scenario("an image that is not here is named", {2: ("source",)},
             second={"cachefrom": ["nowhere:1"]}),
    Scenario("another image is named", {2: ("source",)}, second={"cachefrom": ["busybox"]}),
    Scenario("no image is named", {}, second={"cachefrom": []}),
    Scenario("stages of a loaded image", {2: ("removed",), 3: ()}, text=STAGES,
             between=TRAVEL, second=FROM_ITSELF),
]  # fmt: skip

SCENARIOS = [*FILES, *INSTRUCTIONS, *ARGUMENTS, *IMAGES, *SOURCES]
