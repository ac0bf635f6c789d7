"""Dockerfiles that nobody would write, by the dice: files over links over directories.

A seed gives a text; the context is that of `dockerfiles`.  Left out is what differs with a
reason: settings after WORKDIR was removed (Docker makes a container for each), and several
sources to a destination that ends in a dot (the classic builder wants a slash).
"""

import random

RUNS = (
    "mkdir -p /x/y", "ln -s /x /ln", "ln -s y /x/l", "ln -s /nowhere /dang", "rm -rf /x/y",
    "echo hi >/f", "echo hi >/x", "touch /etc/new", "mv /x /moved", "chmod 711 /x",
    "mkdir -m 700 /home/q; chown 5:6 /home/q", "chown -R 3:4 /x", "ln /f /g", "rm /f",
    "mkdir /d && ln -s /etc /d/e", "mkdir -p /t/x", "pwd >/pwd", "id >/id 2>&1",
    "rm -r /home; ln -s x /home", "touch -d 2001-01-01 /etc", "mknod /pipe p", "true",
    "ln -s f /d", "mkdir -p /in; echo >/in/f", "ln -s /var /in", "ls / >/listed",
    "chmod 0 /f", "umask 077; mkdir /u; touch /u/f", "cp -a /x /x2",
    "sed -i s/root/toor/ /etc/group",
)  # fmt: skip
SOURCES = (
    "a", "b.sh", "secret", "owned", "empty-file", "d", "d/", "d/e", "d/e/deep", "d/sticky",
    "d/link", "empty", "to-d", "to-d/", "to-a", "up", ".hidden", ".dot", "twins",
    "twins/one", "twins/z", "*.sh", "d/*k", "d/[^b]*", "?", "d/e/*", "*/x", "large", ".",
    "./d", "/a", "d/../a", "to-d/e", "nope", "d/broken", "*.zz", "plain.tar", "a.tgz",
    "noname", "text.gz", "twins/t*", "to-*", "e*", "a/", "..",
)  # fmt: skip
PLACES = (
    "/x", "/x/y", "/x/y/z", "/etc", "/ln", "/ln/q", "/f", "/var", "rel", "rel/y", ".", "./",
    "/", "/x/", "/x/y/", "/ln/", "/new/deep/p", "/new/deep/p/", "..", "../up/", "/x/l",
    "/x/l/", "/dang", "/dang/", "/home/", "/a", "/d", "/in", "/in/", "/abs", "/x/e",
)  # fmt: skip
OWNERS = ("", "", "", "--chown=7:8 ", "--chown=9 ", "--chown=nobody ", "--chown=root:tty ")
DIRECTORIES = ("/w", "sub", "..", "/x", "/ln", "/x/y", "/f", "/dang", "../a/b", "$V")
SETTINGS = ("ENV V=/x", "ENV V=rel W=$V", "ARG V=/argy", "ENV HOME=/x", "LABEL a=b",
            "EXPOSE 80", 'ENTRYPOINT ["e"]', "CMD c",
            'SHELL ["/bin/sh", "-ec"]')  # fmt: skip
USERS = ("USER 5", "USER nobody", "USER 0", "USER root:tty", "USER 7:8")


def any_dockerfile(dice: random.Random) -> str:
    """Give a text of two to seven steps, in one stage or several."""
    steps, stages = ["FROM busybox AS s0"], 1
    for _ in range(dice.randint(2, 7)):
        chance = dice.random()
        if chance < 0.35:
            runs = [dice.choice(RUNS) for _ in range(dice.choice((1, 1, 2, 3)))]
            steps.append(f"RUN {' ; '.join(runs)}" + "; true" * (dice.random() < 0.9))
        elif chance < 0.75:
            steps.append(_transfer(dice))
        elif chance < 0.83:
            steps.append(f"WORKDIR {dice.choice(DIRECTORIES)}")
        elif chance < 0.92:
            steps.append(dice.choice((dice.choice(USERS), dice.choice(SETTINGS))))
        elif chance < 0.96:
            base = dice.choice(("busybox", f"s{stages - 1}", "scratch"))
            steps.append(f"FROM {base} AS s{stages}")
            stages += 1
        elif stages > 1:
            source = dice.choice(("/etc", "/x", "/", "/bin/b*", "x/y", "/ln", "/home"))
            owner = dice.choice(("", "--chown=4:5 "))
            name = dice.choice((f"s{stages - 2}", str(stages - 2)))
            steps.append(f"COPY --from={name} {owner}{source} {dice.choice(PLACES)}")
    return "\n".join(steps) + "\n"


def _transfer(dice: random.Random) -> str:
    sources = [dice.choice(SOURCES) for _ in range(dice.choice((1, 1, 1, 1, 2, 3)))]
    place = dice.choice(PLACES)
    if len(sources) > 1 or set("*?[") & set(sources[0]):
        place = {".": "./", "..": "../up/"}.get(place, place)
        if not place.endswith("/") and dice.random() < 0.9:
            place += "/"
    verb = dice.choice(("COPY", "COPY", "ADD"))
    return f"{verb} {dice.choice(OWNERS)}{' '.join(sources)} {place}"
