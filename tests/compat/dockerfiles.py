r"""A hundred Dockerfiles: the whole reference, a few lines for each thing that it says.

    CLASSIC     built by Docker's classic builder
    BUILDKIT    what only BuildKit understands, and where ours does as BuildKit does
    FAILING     what neither builds

`FROM busybox` is put in front of a text that has no FROM.  All of them share one context,
TREE; a `Case` adds names to it, or a query.
"""

import bz2
import gzip
import io
import lzma
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.builder import Context, File, packed


def archive(*entries: tuple[str, bytes, bytes | str], owner: int = 12) -> bytes:
    """Pack (name, type, content or target of a link)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        for name, kind, given in entries:
            info = tarfile.TarInfo(name)
            info.type, info.uid, info.gid, info.mode = kind, owner, owner + 1, 0o750
            info.mtime = 1_600_000_000
            if isinstance(given, str):
                info.linkname = given
            else:
                info.size = len(given)
            made.addfile(info, io.BytesIO(given if isinstance(given, bytes) else b""))
    return out.getvalue()


NET_RAW = "\1\0\0\2\0\x20" + "\0" * 14  # struct vfs_cap_data: permitted, effective
ABLE: Context = {
    "able": File(b"x", 0o755, capability=NET_RAW), "powers": None,
    "powers/b": File(b"y", 0o755, capability=NET_RAW),
}  # fmt: skip
DIRECTORY, FILE, LINK, HARD = (
    tarfile.DIRTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE,
)  # fmt: skip
PLAIN = archive(
    ("in", DIRECTORY, b""), ("in/f", FILE, b"xxx"), ("etc/f", FILE, b"xx"),
    ("in/l", LINK, "f"), ("in/h", HARD, "in/f"), ("abs", LINK, "/etc/passwd"),
)  # fmt: skip
SPECIAL = archive(
    ("dev", DIRECTORY, b""), ("dev/pipe", tarfile.FIFOTYPE, b""), ("tmp/t", FILE, b"t"),
)  # fmt: skip

TREE: Context = {
    "a": "A", "b.sh": File(b"#!/bin/sh\n", 0o755), "secret": File(b"s", 0o600),
    "owned": File(b"o", uid=1000, gid=1000), "empty-file": b"", "large": b"L" * 100_000,
    "d": None, "d/x": "X", "d/e": File(kind=DIRECTORY, mode=0o700), "d/e/y": "Y",
    "d/e/deep": None, "d/e/deep/est": "E", "d/sticky": File(kind=DIRECTORY, mode=0o1777),
    "d/link": File(link="x"), "d/broken": File(link="/nowhere"), "empty": None,
    "to-d": File(link="d"), "to-a": File(link="a"), "up": File(link="d/../a"),
    ".hidden": "h", ".dot": None, ".dot/f": "f", "sp ace": "space", "é": "accent",
    "[b]": "bracket", "b*": "star",
    "twins": None, "twins/one": "1", "twins/two": File(link="twins/one", kind=HARD),
    "twins/z": None, "twins/z/three": File(link="twins/one", kind=HARD),
    "plain.tar": PLAIN, "a.tgz": gzip.compress(PLAIN, mtime=0),
    "a.tbz": bz2.compress(PLAIN), "a.txz": lzma.compress(PLAIN),
    "noname": gzip.compress(PLAIN, mtime=0),
    "special.tar": SPECIAL, "fake.tgz": b"\x1f\x8bno", "text.gz": gzip.compress(b"text"),
    "short.tar": b"short", "none.tar": bytes(10_240),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One Dockerfile, what is asked for besides, and what its context has besides."""

    text: str
    query: Mapping[str, Any] = field(default_factory=dict)
    more: Context = field(default_factory=dict)

    @property
    def dockerfile(self) -> str:
        """The whole text."""
        if re.search(r"^FROM ", self.text.lstrip("\ufeff"), re.MULTILINE | re.IGNORECASE):
            return self.text
        return f"FROM busybox\n{self.text}\n"

    @property
    def context(self) -> Context:
        """The names that are sent."""
        name = str(self.query.get("dockerfile", "Dockerfile"))
        return {**TREE, **self.more, name: self.dockerfile}

    def on(self, base: str) -> "Case":
        """Give the same on another base, and with a context that root owns."""
        text = self.dockerfile.replace("FROM busybox", f"FROM {base}")
        return Case(text, self.query, {**self.more, "owned": "o"})


def cases(texts: Mapping[str, str | Case]) -> dict[str, Case]:
    """Give a Case for each, in order."""
    return {
        name: text if isinstance(text, Case) else Case(text) for name, text in texts.items()
    }


CLASSIC = cases({
    # What an image says of itself
    "hello": 'ENTRYPOINT ["echo"]\nCMD ["Hello World"]',
    "many settings": "ENV A=1 B=2\nENV C three words\nENV A=4\nUSER 5:6\nWORKDIR /w\n"
    'STOPSIGNAL SIGUSR1\nSHELL ["/bin/sh", "-ec"]\nONBUILD RUN echo hi\nMAINTAINER me\n'
    "CMD echo $A",
    "both forms of env": "ENV OLD form  of   it\nENV A=1 B=\"two words\" C='$A' D=a\\ b\n"
    "ENV E=$A F=${A}x\nENV A= G=\"$B\"",
    "env in order": "ENV B=1\nENV A=2\nENV B=3 C=4\nENV PATH=/opt:$PATH",
    "labels and their quotes": "LABEL x=y \"q r\"='s'\nLABEL one two three\n"
    'LABEL a="b\\"c" d=\'e"f\' "g h"=i\nLABEL multi=1 \\\n  line=2\nLABEL x=z',
    "ports": "EXPOSE 80 443/tcp 53/UDP 9000-9002\nEXPOSE 8080:80 99/sctp\nEXPOSE 80",
    "ports of a variable": 'ENV P="81 82/udp"\nEXPOSE $P 83',
    "volumes": 'VOLUME /v1 /v2\nVOLUME ["/v3"]\nVOLUME /v4 ["/x"]\nVOLUME rel\nVOLUME /v1/',
    "users": "USER 5:6\nUSER nobody\nENV U=7\nUSER $U:$U",
    "signals": "STOPSIGNAL 9\nSTOPSIGNAL kill\nSTOPSIGNAL SIGRTMIN+3",
    "a shell of its own": 'SHELL ["/bin/sh", "-ec"]\nRUN echo $0 >/o\nCMD x y\n'
    'ENTRYPOINT z\nSHELL ["/bin/busybox", "sh", "-c"]\nRUN echo two >>/o',
    "entrypoint clears cmd": 'FROM busybox\nCMD ["a"]\nFROM busybox\nENTRYPOINT ["b"]',
    "cmd before entrypoint stays": 'CMD ["a"]\nENTRYPOINT ["b"]',
    "entrypoint of a child clears": 'FROM busybox AS base\nCMD ["a"]\nENTRYPOINT ["b"]\n'
    'FROM base\nENTRYPOINT ["c"]',
    "cmd of a child replaces": 'FROM busybox AS base\nCMD ["a"]\nENTRYPOINT ["b"]\n'
    "FROM base\nCMD c",
    "empty lists": "CMD []\nENTRYPOINT []",
    "nearly lists": "CMD ['a', 'b']\nENTRYPOINT [\"a\", \"b\"] c",
    "healthcheck": "HEALTHCHECK --interval=1m30s --timeout=2s --start-period=3s "
    "--start-interval=1s --retries=5 CMD true || false",
    "healthcheck twice": "HEALTHCHECK --interval=5s --retries=4 CMD a\nHEALTHCHECK CMD b",
    "healthcheck in words": 'HEALTHCHECK CMD ["true", "x"]',
    "healthcheck none": "HEALTHCHECK CMD a\nHEALTHCHECK NONE",
    "triggers are kept": "ONBUILD COPY a /on\nONBUILD ENV T=1\nONBUILD RUN true",
    "a maintainer": "MAINTAINER A  B <c@d>\nLABEL x=1",
    "late labels": Case("LABEL a=1\nENV b=2", {"labels": {"late": "x y", "a": "2"}}),
    # Lines
    "continued lines": "RUN echo a \\\n  b \\\n# comment\n\n  c >/o\nENV A=1 \\\n    B=2\n"
    "  run   echo lower >>/o",
    "escape with backticks": "# escape=`\nFROM busybox\nRUN echo a `\n b \\c >/o\n"
    "ENV A=b`$c P=c:\\d\nWORKDIR /x`y",
    "comments and case": "# syntax is said here\n#\nfrom busybox\n  # indented\n"
    "cOpY a /\nrun echo '# no comment' >/o # yes >>/o",
    "windows line ends": "FROM busybox\r\nENV A=1\r\nRUN echo $A >/o\r\nCOPY a /\r\n",
    "a byte order mark": "\ufeffFROM busybox\nCMD é",
    # Variables
    "expansions": "ENV V=foobarbar E= P=p/q\n"
    "ENV A1=${V:-d} A2=${E:-d} A3=${U:-d} A4=${V:+d} A5=${E:+d} A6=${E-d} A7=${E+d}\n"
    "ENV B1=${V#f*o} B2=${V##*b} B3=${V%b*} B4=${V%%b*} B5=${V/bar/X} B6=${V//bar/X}\n"
    "ENV C1=\\$V C2='$V' C3=\"$V\" C4=${U:-${V}} C5=$V.b C6=${V}b C7=a$ C8=~\n"
    "LABEL $V=$P l=${U:-\"q r\"}",
    "expansions in paths": "ENV D=/data S=a N=x\nWORKDIR $D/${N}\nCOPY $S ${S%x} ./\n"
    "COPY ${U:-b}.sh $D/$N/\nADD $S $D/added\nVOLUME $D\nWORKDIR ${N%x}y",
    "values of one line are old": "ENV A=1\nENV A=2 B=$A\nLABEL b=$B",
    "arguments": Case("ARG A=1\nARG B\nENV C=$A\nRUN echo $A-$B-$C >/o\nENV A=9\n"
                      "RUN echo $A >>/o", {"buildargs": {"B": "two"}}),
    "arguments before from": Case("ARG BASE=nope\nARG TAG=latest\nFROM $BASE:${TAG}\n"
                                  "RUN echo [$TAG] >/o\nARG TAG\nARG BASE=own\n"
                                  "RUN echo [$TAG$BASE] >>/o",
                                  {"buildargs": {"BASE": "busybox"}}),
    "arguments of each stage": "ARG A=top\nFROM busybox AS one\nARG A\nARG B=b\n"
    "RUN echo $A$B >/o\nFROM one\nRUN echo [$A$B] >>/o\nARG A=again\nRUN echo $A >>/o",
    "arguments known to all": Case("RUN echo $HTTP_PROXY-$no_proxy >/o\nENV X=$HTTP_PROXY",
                                   {"buildargs": {"HTTP_PROXY": "p:1", "no_proxy": "n"}}),
    "arguments by lists": Case("ARG A=1 B C=$A\nRUN echo $A$B$C >/o",
                               {"buildargs": {"A": "5", "unused": "x"}}),
    # Files of the context
    "files": "COPY a /x\nCOPY a b.sh /y/\nCOPY secret owned /z/\nCOPY .hidden /\n"
    "COPY empty-file large /big/",
    "a file into a directory": "COPY a /etc\nCOPY a /tmp/\nCOPY b.sh /srv/new/name",
    "a deep destination": "COPY a /one/two/three/four/\nCOPY d /one/two/x/y/z",
    "a directory": "COPY d /d\nCOPY d /etc\nCOPY empty /empty\nCOPY empty /etc",
    "slashes at the end": "COPY d/ /s1\nCOPY d /s2/\nCOPY d/ /s3/\nCOPY ./d/./e/ /s4\n"
    "COPY /a /s5/\nCOPY d/../a /s6",
    "everything": "COPY . /all/",
    "everything but": Case("COPY . /all/\nCOPY d /d",
                           more={".dockerignore": "Dockerfile\n"}),
    "an ignored list": Case("COPY . /all/", more={".dockerignore": ".dockerignore\n"}),
    "relative": "COPY a .\nCOPY a b\nWORKDIR /w\nCOPY a .\nCOPY d ./\nCOPY a ../up/\n"
    "COPY a b.sh sub/",
    "wildcards": "COPY *.sh /w/\nCOPY d/[^b]* /v/\nCOPY d/e/* /u/\nCOPY ?  /one/\n"
    "COPY [a-c] /c/",
    "wildcards in the middle": "COPY */x /m/\nCOPY d/*/y /n/\nCOPY d/*e*/*/* /o/",
    "wildcards that are names": "COPY [[]b] /1\nCOPY b\\* /2/\nCOPY . /3",
    "one match without a slash": "COPY s*t /s\nCOPY .dot* /t/",
    "names in quotes": 'COPY ["sp ace", "/sp ace"]\nCOPY ["é", "a", "/more names/"]',
    "links": "COPY to-a to-d /l/\nCOPY d/link /m\nCOPY up /n\nCOPY to-d/x /o\n"
    "COPY to-d/e /p",
    "names of one file": "COPY twins /t\nCOPY twins/one twins/two /u/\nCOPY twins/two /v",
    "through links of the image": "RUN ln -s /var /ln && ln -s /etc/target /f && "
    "mkdir /etc/target && ln -s ../tmp /usr/rel\nCOPY a /ln/\nCOPY d /ln/d\n"
    "COPY a /ln/sub/a\nCOPY a /f\nCOPY d /usr/rel",
    "over a link": "RUN ln -s /etc/passwd2 /p && echo x >/q && ln -s q /r\nCOPY a /r\n"
    "COPY a /p",
    "over what is there": "RUN mkdir /r && chmod 710 /r && chown 3:4 /r && echo old >/r/x "
    "&& chmod 600 /r/x\nCOPY d /r\nCOPY a /r/x",
    "a directory over a link": "RUN mkdir /s && ln -s /etc /s/e\nCOPY d /s",
    "a file over a directory": "RUN mkdir -p /t/x\nCOPY d /t",
    "owners by number": "COPY --chown=7:8 a d /o/\nCOPY --chown=9 d /p/q\n"
    "COPY --chown=0:5 b.sh /n",
    "owners by name": "COPY --chown=root a /n\nCOPY --chown=root:tty a /t\n"
    "COPY --chown=nobody:nogroup d /d\nENV U=nobody\nCOPY --chown=$U:5 a /v",
    "owners of what is new": "COPY --chown=5:6 a /n/m/\nCOPY --chown=5:6 a /n2/m2/x\n"
    "COPY --chown=5:6 d /n3/m3/\nCOPY --chown=5:6 d a /n4/m4/\nCOPY --chown=5:6 a d /n5/m/",
    "owners of the image": "RUN echo web:x:70:71::/:/x >>/etc/passwd && "
    "echo web:x:72: >>/etc/group\nCOPY --chown=web a /w\nCOPY --chown=web:web d /e",
    "a user does not count for files": "USER 5\nCOPY a /own/\nADD d /two\nWORKDIR /three",
    # WORKDIR
    "working directories": "RUN mkdir -m 700 /old && chown 3 /old\nWORKDIR /old\nCOPY a .\n"
    "WORKDIR new/deep\nCOPY a ./b/\nWORKDIR ..\nRUN pwd >/o\nWORKDIR /a/../b//c/\n"
    "WORKDIR .",
    "a working directory through a link": "RUN ln -s /var /l\nWORKDIR /l/lib\nRUN pwd >/o",
    # ADD
    "archives": "ADD a.tgz /t1\nADD plain.tar /t2/\nADD a.tbz /t3\nADD a.txz noname /t4/",
    "what looks like an archive": "ADD fake.tgz text.gz short.tar /t/\nADD a /u\n"
    "COPY a.tgz /v/\nADD d /w",
    "archives with an owner": "ADD --chown=3:4 a.tgz /t/m\nADD --chown=3:4 a.tgz a /u/m/\n"
    "ADD --chown=3:4 a a.tgz /v/m/",
    "an archive over a link": "RUN ln -s /var /in && mkdir /abs\nADD a.tgz /",
    "an archive over what is there": "RUN mkdir -m 700 /in && echo f >/in/l\n"
    "ADD plain.tar /",
    "an archive with a pipe": "ADD special.tar /s",
    "archives by wildcard": "ADD a.t* /w/",
    # RUN
    "run": "RUN echo hi >/hi && chmod 640 /hi\nRUN rm -r /home && mkdir /home\n"
    "RUN touch /home/f\nRUN ln /hi /again\nRUN rm /hi\nRUN true",
    "run in words": 'RUN ["touch", "/a b"]\nRUN ["/bin/sh", "-c", "echo $0 > /o", "zero"]',
    "run as a user": "RUN mkdir -m 777 /pub\nUSER nobody\nRUN touch /pub/f && id >/pub/id\n"
    "WORKDIR /pub\nUSER 1:2\nRUN pwd >here && id >>here",
    "run with odd files": "RUN mkfifo /fifo && ln -s fifo /l && touch '/odd name' && "
    "mkdir -m 3775 /sg && touch /su && chmod 4755 /su",
    "run sees": "ENV A=1\nARG B=2\nWORKDIR /w\nRUN env | grep -v HOSTNAME | sort >/env; "
    "pwd >>/env; cat /proc/self/status | grep -i cap >>/env; umask >>/env",
    "run moves and removes": "RUN mkdir -p /m/n && echo 1 >/m/n/f\nRUN mv /m /k\n"
    "RUN rm -r /k/n && mkdir /k/n && touch /k/n/new\nRUN rm -r /usr /var\nCOPY a /usr/",
    "run changes owners": "RUN chown -R 5:6 /etc && chmod -R go-rwx /etc\n"
    "RUN chmod 711 /root",
    # Stages
    "stages": "FROM busybox\nRUN echo one >/one && chown 5:6 /one\nFROM busybox AS two\n"
    "COPY --from=0 /one /two\nFROM scratch\nCOPY --from=two /two /bin/sh /\n"
    "COPY --from=busybox:latest /etc/group /etc/",
    "a stage on a stage": "FROM busybox AS Base\nENV A=1\nCOPY a /\nFROM base AS next\n"
    "RUN echo $A >/b\nFROM NEXT\nCOPY --from=BASE /a /c",
    "all of a stage": "FROM busybox AS s\nRUN mkdir -p /x/y && chmod 700 /x && "
    "chown 1:2 /x/y && ln -s y /x/l && echo 1 >/x/f && ln /x/f /x/g\nFROM busybox\n"
    "COPY --from=s /x /new\nCOPY --from=s /x/l /x/f /etc/\n"
    "COPY --from=s --chown=9:9 /x /own/\nCOPY --from=s x/f* /w/",
    "a target": Case("FROM busybox AS one\nENV A=1\nFROM one AS two\nENV B=2\nFROM two\n"
                     "ENV C=3", {"target": "TWO"}),
    "scratch": "FROM scratch\nCOPY a /\nENV X=1",
    "scratch with a directory": "FROM scratch\nWORKDIR /a/b\nCOPY d .",
    "triggers are carried out": Case("FROM trigger", more={"on": "on"}),
    # What is sent, and how
    "another file": Case("COPY . /all/", {"dockerfile": "sub/My.dockerfile"}),
    "many names": Case("ENV A=1", {"t": ["many:1", "many:2", "host.example/many"]}),
    "a capability in an archive": Case("ADD able.tar /x/", more={"able.tar": packed(ABLE)}),
    # Where ours does as BuildKit (the allow-list says so)
    "files below a volume": "VOLUME /var\nRUN echo lost >/var/f\nCOPY a /var/a",
    "a document that is run": "RUN <<EOF\ntouch /ran-by-document\nEOF",
    "a mode for what is copied": "COPY --chmod=700 a /moded",
    "a set-uid bit": Case("COPY suid /", more={"suid": File(b"s", 0o4755)}),
})  # fmt: skip

BASES = cases({
    "trigger": Case("ONBUILD COPY on /\nONBUILD ENV T=1\nONBUILD RUN cat /on >/o$T",
                    {"t": "trigger"}),
    # BuildKit leaves the places of its mounts in a layer where the image has none.
    "rooted": Case("ADD roots.tar /", {"t": "rooted"}, {"roots.tar": archive(
        *((name, DIRECTORY, b"") for name in ("dev", "proc", "sys")))}),
})  # fmt: skip

BUILDKIT = {name: case.on("rooted") for name, case in cases({
    "a script": "RUN <<EOF\necho one >/o\necho $0 two >>/o\nEOF",
    "a script of another shell": "RUN <<EOF\n#!/bin/busybox ash\necho $PATH >/o\nEOF",
    "a document for a command": "RUN cat <<EOF >/o\n$HOME and ${X:-y}\nEOF",
    "a document in quotes": "ENV X=1\nRUN cat <<'EOF' >/o\n$X\nEOF\n"
    "RUN cat <<EOF >/p\n$X\nEOF",
    "a document with tabs": "RUN <<-EOF\n\techo a >/o\n\t\techo b >>/o\n\tEOF",
    "two documents": "RUN cat <<A >/a && cat <<B >/b\n1\nA\n2\nB",
    "files from documents": "ENV X=1\nCOPY <<one <<'two' a /d/\n$X\none\n$X\ntwo",
    "a file from a document": "COPY <<EOF /robots.txt\nUser-agent: *\nEOF\n"
    "ADD <<-'X' /etc/\n\ttext\n\tX",
    "documents with an owner and a mode": "COPY --chown=3:4 --chmod=750 <<EOF /run.sh\n"
    "#!/bin/sh\nEOF",
    "a shell for a script": 'SHELL ["/bin/sh", "-ec"]\nRUN <<EOF\necho a >/o\nEOF',
    "modes": "COPY --chmod=700 a /x\nCOPY --chmod=4750 b.sh /y/\nADD --chmod=0 a /z",
    "modes of a directory": "COPY --chmod=711 d /d\nCOPY --chmod=640 d/x d/link /e/",
    "a mode and an owner": "COPY --chmod=604 --chown=5:6 d /d",
    "modes from a stage": "FROM busybox AS s\nRUN mkdir /x && touch /x/f\nFROM busybox\n"
    "COPY --from=s --chmod=600 /x /y",
    "linked files": "COPY --link a /x\nCOPY --link d /etc/\n"
    "COPY --link --chown=1:2 a b.sh /y/",
    "linked into what is there": "RUN mkdir -m 700 /r && chown 3 /r\nCOPY --link a /r/\n"
    "COPY --link=false a /r/b",
    "linked over a link": "RUN ln -s /var /ln\nCOPY --link a /ln/x",
    "not the last stage": Case("FROM busybox AS one\nRUN false\nFROM busybox AS two\n"
                               "RUN echo 2 >/o\nFROM two\nENV A=1"),
    "a target before a failure": Case("FROM busybox AS one\nENV A=1\nFROM one\nRUN false",
                                      {"target": "one"}),
    "files below a volume stay": "VOLUME /var\nRUN echo kept >/var/f\nCOPY a /var/a",
    "a set-uid bit stays": Case("COPY suid /", more={"suid": File(b"s", 0o4755)}),
    "a slash behind a pattern": "COPY d/e*/ /o/",
    "capabilities of files": Case("COPY able /x/\nCOPY powers /y\nCOPY --chown=5 able /z",
                                  more=ABLE),
    "no network": "RUN --network=none echo a >/o",
    "the context for a command": "RUN --mount=target=/m cat /m/a /m/d/x >/o",
    "a part of the context": "WORKDIR /w\nRUN --mount=source=d,target=in ls in >/o",
    "a file of the context": "RUN --mount=source=a,target=/deep/er/a cp /deep/er/a /o",
    "a bind that is written to": "RUN --mount=source=d,target=/m,rw touch /m/n; ls /m >/o",
    "a cache": "RUN --mount=type=cache,target=/var/c/x touch /var/c/x/f && echo 1 >/o",
    "memory": "RUN --mount=type=tmpfs,target=/t touch /t/f && ls /t >/o",
    "a stage for a command": "FROM busybox AS s\nRUN echo 1 >/x\nFROM rooted\n"
    "RUN --mount=from=s,source=/x,target=/m/x cat /m/x >/o",
}).items()}  # fmt: skip

# What is wrong, and which words of the file ours marks for it.
FAILING: Mapping[str, tuple[str, str]] = {
    # A program
    "a command": ("RUN exit 3", "exit 3"),
    "a command that is not there": ('RUN ["nope"]', "nope"),
    "a command of the shell that is not there": ("RUN nope -x", "nope -x"),
    "a command in its own words": ('RUN ["sh", "-c", "exit 4"]', "exit"),
    "a command that is no program": ('RUN ["/etc/passwd"]', "/etc/passwd"),
    "a command on nothing": ("FROM scratch\nRUN true", "RUN true"),
    "a command of a shell of its own": ('SHELL ["/bin/no", "-c"]\nRUN x', "RUN x"),
    "a script of several lines": ("RUN true && \\\n  exit 250", "RUN true && \\"),
    "a user": ("USER nobodyx\nRUN true", "RUN true"),
    "a group": ("USER 0:nobodyx\nRUN true", "RUN true"),
    # Files
    "no source": ("COPY nope /", "nope"),
    "no source in add": ("ADD a nope /x/", "nope"),
    "outside": ("COPY ../x /", "../x"),
    "no match": ("COPY *.zz /", "COPY *.zz /"),
    "many without a slash": ("COPY a d /x", "COPY a d /x"),
    "an address": ("COPY http://127.0.0.1:9/x /", "COPY http://127.0.0.1:9/x /"),
    "a broken link": ("COPY d/broken /", "d/broken"),
    "a link among matches": ("COPY d/b* /", "COPY d/b* /"),
    "over a file": ("COPY d /bin/busybox", "/bin/busybox"),
    "over a file through a link": ("RUN ln -s /etc/passwd /l\nCOPY d /l/", "COPY d /l/"),
    "below a file": ("COPY a /etc/passwd/x", "/etc/passwd/x"),
    "an archive over a file": ("ADD a.tgz /etc/passwd/x", "/etc/passwd/x"),
    "through a link to itself": ("RUN ln -s it /it\nCOPY a /it", "/it"),
    "into a link to itself": ("RUN ln -s it /it\nWORKDIR /it/x", "/it/x"),
    "an owner": ("COPY --chown=zzz a /", "zzz"),
    "an owner's group": ("COPY --chown=0:zzz a /", "zzz"),
    "an owner of three parts": ("COPY --chown=a:b:c a /", "COPY --chown=a:b:c a /"),
    "an owner without a list": ("RUN rm /etc/passwd\nCOPY --chown=zzz a /", "zzz"),
    "a directory that is a file": ("WORKDIR /bin/sh", "/bin/sh"),
    # Stages
    "an index": ("COPY --from=7 /a /", "7"),
    "itself": ("COPY --from=0 /a /", "0"),
    "nothing in a stage": ("FROM busybox\nFROM busybox\nCOPY --from=0 /nope /", "nope"),
    "the same name twice": ("FROM busybox AS s\nFROM busybox AS s", "s"),
    "a base in capitals": ("FROM Busybox", "Busybox"),
    "a base of no value": ("ARG X\nFROM $X", "$X"),
    "a platform": ("FROM --platform=zz/zz/zz/zz busybox", "zz/zz/zz/zz"),
    "half a platform": ("FROM --platform=linux/!x busybox", "linux/!x"),
    "scratch in capitals": ("FROM SCRATCH\nENV A=1", "SCRATCH"),
    "an image of no name": ("COPY --from=No:Pe: /a /", "No"),
    "nothing at all": ("FROM scratch", "FROM scratch"),
    # Settings
    "a port": ("EXPOSE abc", "abc"),
    "a large port": ("EXPOSE 70000", "70000"),
    "a protocol": ("EXPOSE 80/foo", "foo"),
    "a signal": ("STOPSIGNAL FOO", "FOO"),
    "a large signal": ("STOPSIGNAL SIGRTMIN+99", "SIGRTMIN+99"),
    "a variable of no name": ("ENV $X=1", "ENV $X=1"),
    "an empty directory": ("ARG X\nWORKDIR $X", "WORKDIR $X"),
    "an empty volume": ("ARG X\nVOLUME $X", "VOLUME $X"),
    "an expansion": ("ENV A=${B:?must}", "?must}"),
    "an open quote": ('LABEL a="bc', "bc"),
    "a modifier": ("ENV A=${B@x}", "${B@x}"),
    # Words
    "no instruction": ("FROM busybox\nRUNN x", "RUNN"),
    "no value": ("FROM busybox\nENV A", "A"),
    "a flag": ("FROM busybox\nCOPY --foo a /", "--foo"),
    "too few words": ("FROM busybox\nCOPY a", "C"),
    "nested triggers": ("ONBUILD ONBUILD RUN x", "ONBUILD"),
    "no json": ("SHELL sh", "sh"),
    "an interval": ("HEALTHCHECK --interval=5 CMD x", "5"),
}
