"""What conditions ask about, looked up in a real engine.

Most facts are read: `inspect` knows them.  Two are tried out, because nothing else proves
them: `run(image, …)` runs a container and keeps what it printed, `stops(image)` starts one,
asks it to end as `stop` does, and takes the time.

One sight is one look: what was asked once is remembered, so that two conditions about the
same run judge the same run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused
from pyminidock.course import layering, reaching
from pyminidock.course.goal import Absent, Fact, Field, Value, unknown
from pyminidock.course.reaching import one
from pyminidock.course.tarred import only_file
from pyminidock.course.trial import Ran, Stopped, run, stop_one


@dataclass(slots=True)
class Look:
    """One look at an engine; `said` are causes that were named, `kept` ids at the start."""

    client: Client
    said: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Fact] = field(default_factory=dict)  # facts that somebody brought
    _seen: dict[object, Any] = field(default_factory=dict)
    _own: set[str] = field(default_factory=set)  # stories of runs that this look made

    def fact(self, subject: Field, path: tuple[Field, ...]) -> Fact:
        """See goal.Sight."""
        if given := self.given.get(".".join([subject.name, *(each.name for each in path)])):
            return given
        subjects: Mapping[str, Callable[..., Fact]] = {
            "container": self._container, "image": self._image, "file": self._file,
            "run": self._run, "stops": self._stops, "said": self._said,
            "last": self._last, "volume": self._volume, "volumes": self._volumes,
            "port": self._port, "http": self._http, "sees": self._sees,
            "answers": self._answers, "wrote": self._wrote,
        }  # fmt: skip
        if subject.name not in subjects:
            raise unknown(subject, subjects)
        return subjects[subject.name](path, *map(str, subject.arguments))

    def _once(self, key: object, ask: Callable[[], Any]) -> Any:
        """Ask once; a refusal is an answer, too."""
        if key not in self._seen:
            try:
                self._seen[key] = ask()
            except Refused as refusal:
                if refusal.status != 404:
                    raise
                self._seen[key] = None
        return self._seen[key]

    def _named(self, name: str) -> Any:
        """Give a container of this name; one whose id begins so is another one."""
        told = self._once(("container", name), lambda: self.client.inspect(name))
        return told if told and told["Name"] == f"/{name}" else None

    # ── Containers ───────────────────────────────────────────────────────────────────────

    def _container(self, path: tuple[Field, ...], name: str) -> Fact:
        told = self._named(name)
        found = path[0] if path else Field("exists")
        if found.name == "mount" and told is not None:
            return reaching.mount(name, told, path)
        if found.name == "exists":
            return Fact(f"container {name} exists", told is not None,
                        f"no container is called {name}")  # fmt: skip
        if told is None:
            raise Absent(f"no container is called {name}")
        fields: Mapping[str, Callable[..., Fact]] = {
            "running": partial(_running, name, told),
            "exited": partial(_exited, name, told),
            "restarts": lambda: Fact(
                f"the number of restarts of {name}", told["RestartCount"]
            ),
            "policy": lambda: Fact(
                f"the restart policy of {name}", told["HostConfig"]["RestartPolicy"]["Name"]
            ),
            "written": lambda: layering.written(self.client, name),
            "program": lambda: Fact(
                f"the program of {name}", str(told["Path"]).rpartition("/")[2]
            ),
            "image": lambda: Fact(f"the image of {name}", told["Config"]["Image"]),
            "networks": lambda: reaching.networks(name, told),
            "published": lambda: reaching.published(name, told),
            "interactive": lambda: Fact(
                f"{name} reads its input", bool(told["Config"]["OpenStdin"]),
                f"{name} was started without -i: nothing can be typed into it",
            ),
            **_configured(f"container {name}", told["Config"]),
        }  # fmt: skip
        return one(found, fields)

    def _file(self, path: tuple[Field, ...], container: str, name: str) -> Fact:
        if self._named(container) is None:
            raise Absent(f"no container is called {container}")
        data = self._once(
            ("file", container, name), lambda: only_file(self.client, container, name)
        )
        where = f"{name} in {container}"
        if path and path[0].name == "exists":
            return Fact(f"{where} exists", data is not None, f"there is no {where}")
        if path and path[0].name == "gone":
            return Fact(f"{where} is gone", data is None, f"there is a {where}")
        if path:
            raise unknown(path[0], {"exists": bool, "gone": bool})
        if data is None:
            raise Absent(f"there is no {where}")
        text = data.decode("utf-8", errors="replace")
        return Fact(where, text.removesuffix("\n"))

    # ── Images ───────────────────────────────────────────────────────────────────────────

    def _image(self, path: tuple[Field, ...], ref: str) -> Fact:
        told = self._once(("image", ref), lambda: self.client.images.inspect(ref))
        found = path[0] if path else Field("exists")
        if found.name == "exists":
            return Fact(
                f"image {ref} exists", told is not None, f"no image is called {ref}"
            )
        if found.name == "gone":
            return Fact(f"image {ref} is gone", told is None, f"image {ref} is still there")
        if told is None:
            raise Absent(f"no image is called {ref}")
        if found.name == "config" and len(path) > 1:
            return one(path[1], _configured(f"image {ref}", told["Config"]))
        was = self.kept.get(ref, "")
        fields: Mapping[str, Callable[..., Fact]] = {
            "layers": lambda: Fact(
                f"the number of layers of {ref}", len(told["RootFS"].get("Layers") or ())
            ),
            "size": lambda: Fact(f"the size of {ref}", told["Size"], unit="B"),
            "config": lambda: Fact(f"the configuration of {ref}", None),
            "same_as": partial(self._same_as, ref, told),
            "unchanged": lambda: Fact(
                f"{ref} is what it was", told["Id"] == was,
                f"{ref} is not the image that it was when the level began",
            ),
        }  # fmt: skip
        return one(found, fields)

    def _same_as(self, ref: str, told: Mapping[str, Any], other: str) -> Fact:
        """Tell whether two names mean one image.  Raises Absent."""
        self._needs(other)
        is_so = told["Id"] == self.client.images.inspect(other)["Id"]
        return Fact(f"{ref} and {other} are names of one image", is_so,
                    f"{ref} is another image than {other}")  # fmt: skip

    # ── Trying out ───────────────────────────────────────────────────────────────────────

    def _run(self, path: tuple[Field, ...], image: str, *words: str) -> Fact:
        ran = self.ran(image, words)
        line = " ".join(["run", image, *words])
        if path and path[0].name == "exit":
            return Fact(f"the exit code of `{line}`", ran.exit_code)
        if path:
            raise unknown(path[0], {"exit": int})
        if ran.refusal:
            raise Absent(f"`{line}` does not start: {ran.refusal}")
        return Fact(f"what `{line}` prints", ran.output.removesuffix("\n"))

    def ran(self, image: str, words: Sequence[str]) -> Ran:
        """Run an image with arguments, once for each look.  Raises Absent."""
        self._needs(image)
        ran: Ran = self._once(
            ("run", image, tuple(words)), lambda: run(self.client, image, words)
        )
        self._own.add(ran.story)
        return ran

    def _stops(self, path: tuple[Field, ...], image: str) -> Fact:
        self._needs(image)
        stopped: Stopped | None = self._once(
            ("stops", image), lambda: stop_one(self.client, image)
        )
        if stopped is None:
            raise Absent(f"a container of {image} ends by itself before anybody stops it")
        killed = (
            f"a container of {image} did not end by itself: it was ended by KILL, which "
            "no program hears (exit code 137)"
        )
        fields: Mapping[str, Callable[..., Fact]] = {
            "seconds": lambda: Fact(
                f"the time in which a container of {image} stops", stopped.seconds, unit="s"
            ),
            "output": lambda: Fact(
                f"what a container of {image} prints", stopped.output.removesuffix("\n")
            ),
            "by_itself": lambda: Fact(
                f"a container of {image} ends by itself", stopped.exit_code != 137, killed
            ),
        }  # fmt: skip
        return one(path[0] if path else Field("by_itself"), fields)

    def _needs(self, image: str) -> None:
        if self._once(("image", image), lambda: self.client.images.inspect(image)) is None:
            raise Absent(f"no image is called {image}")

    # ── Data and networks: see reaching ──────────────────────────────────────────────────

    def _volume(self, path: tuple[Field, ...], name: str) -> Fact:
        return reaching.volume(self.client, name, path)

    def _volumes(self, path: tuple[Field, ...]) -> Fact:
        return reaching.volumes(self.client, path)

    def _sees(self, path: tuple[Field, ...], container: str, at: str) -> Fact:
        return reaching.sees(self.client, container, at)

    def _answers(self, path: tuple[Field, ...], container: str, at: str) -> Fact:
        return layering.answers(self.client, container, at)

    def _wrote(self, path: tuple[Field, ...], container: str, at: str) -> Fact:
        return layering.wrote(self.client, container, at)

    def _port(self, path: tuple[Field, ...], number: str) -> Fact:
        return reaching.port(self.client, int(number), path)

    def _http(self, path: tuple[Field, ...], url: str, source: str = "") -> Fact:
        return reaching.request(self.client, url, source, path)

    # ── What was said, what was done last ────────────────────────────────────────────────

    def _said(self, path: tuple[Field, ...], id: str) -> Fact:
        if id not in self.said:
            raise Absent("the cause is not named yet")
        return Fact("the cause that was named", self.said[id])

    def _last(self, path: tuple[Field, ...], what: str) -> Fact:
        """Tell of the story that began last, of one kind: last("run"), last("build")."""
        name = self._once(("last", what), lambda: self._last_story(what))
        if not name:
            raise Absent(f"nothing was recorded yet that begins with {what}-")
        records = self._once(("story", name), lambda: self.client.story(name).records)
        kinds = [record.kind for record in records]
        fields: Mapping[str, Callable[..., Fact]] = {
            "removed": lambda: Fact(
                f"{name} ends with the container's removal", "container.removed" in kinds,
                f"the container of {name} is still there",
            ),
            "instructions_run": lambda: Fact(
                f"the number of instructions that {name} carried out",
                kinds.count("cache.missed"),
            ),
        }  # fmt: skip
        return one(path[0] if path else Field(""), fields)

    def _last_story(self, what: str) -> str:
        """Give the newest story of a kind, what this look made left out."""
        names = [str(each["story"]) for each in self.client.stories()]
        found = [name for name in names if name.startswith(f"{what}-")]
        return next((name for name in reversed(found) if name not in self._own), "")


# ── Fields ───────────────────────────────────────────────────────────────────────────────


def _running(name: str, told: Mapping[str, Any]) -> Fact:
    state = told["State"]
    instead = f"{name} does not run: it is {state['Status']}"
    if state["Status"] == "exited":
        instead = f"{name} does not run: it has ended with {state['ExitCode']}"
    return Fact(f"{name} runs", state["Running"], instead)


def _exited(name: str, told: Mapping[str, Any], code: Value = 0) -> Fact:
    state = told["State"]
    is_so = state["Status"] == "exited" and state["ExitCode"] == code
    instead = f"{name} has ended with {state['ExitCode']}, and should end with {code}"
    if state["Status"] != "exited":
        instead = f"{name} has not ended: it is {state['Status']}"
    return Fact(f"{name} has ended with {code}", is_so, instead)


def _configured(owner: str, config: Mapping[str, Any]) -> dict[str, Callable[..., Fact]]:
    """What a configuration says, of an image or of a container."""
    environment = dict(
        each.split("=", 1) for each in config.get("Env") or () if "=" in each
    )
    labels = config.get("Labels") or {}
    return {
        "cmd": lambda: Fact(f"CMD of {owner}", _words(config.get("Cmd"))),
        "entrypoint": lambda: Fact(
            f"ENTRYPOINT of {owner}", _words(config.get("Entrypoint"))
        ),
        "user": lambda: Fact(f"the user of {owner}", config.get("User") or ""),
        "workdir": lambda: Fact(
            f"the working directory of {owner}", config.get("WorkingDir") or ""
        ),
        "env": lambda key: Fact(f"{key} of {owner}", environment.get(str(key))),
        "label": lambda key: Fact(f"the label {key} of {owner}", labels.get(str(key))),
    }


def _words(told: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(told) if told else None
