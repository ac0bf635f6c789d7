"""RUN --mount: BuildKit's defaults and its words of refusal."""

import pytest

from pyminidock.dockerfile.malformed import Fault
from pyminidock.dockerfile.mounts import Mount, check_mount, parse_mount


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("target=/a", Mount(target="/a")),
        ("type=bind,src=s,dst=/a,rw", Mount(source="s", target="/a", is_readonly=False)),
        ("type=bind,from=x,destination=/a,ro=false",
         Mount(from_name="x", target="/a", is_readonly=False)),
        ("TYPE=CACHE,target=/c,id=i,sharing=LOCKED,mode=0755,uid=1,gid=2",
         Mount("cache", target="/c", id="i", sharing="locked", mode=0o755, uid=1, gid=2,
               is_readonly=False)),
        ("type=tmpfs,target=/t,size=1k",
         Mount("tmpfs", target="/t", size_bytes=1024, is_readonly=False)),
        ("type=secret,id=s,required", Mount("secret", id="s", is_required=True)),
        ("type=secret,id=s,required=false", Mount("secret", id="s")),
        ("type=ssh", Mount("ssh")),
        ('type=bind,"target=/a,b"', Mount(target="/a,b")),
    ],
)  # fmt: skip
def test_a_mount_is_read(text: str, mount: Mount) -> None:
    assert parse_mount(text) == mount


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type=zz", 'unsupported mount type "zz"'),
        ("foo=1", "unexpected key 'foo' in 'foo=1'"),
        ("foo", "invalid field 'foo' must be a key=value pair"),
        ("type=cache,sharing=x", 'unsupported sharing value "x"'),
        ("ro=maybe", "invalid value for ro: maybe"),
        ("required", "unexpected key 'required' for mount type 'bind'"),
        ("size=1", "unexpected key 'size' for mount type 'bind'"),
        ("type=tmpfs,size=x", "invalid value for size: x"),
        ("type=cache,mode=9", "invalid value 9 for mode"),
        ("type=cache,uid=-1", "invalid value -1 for uid"),
        ("mode=1", 'mode not allowed for "bind" type mounts'),
        ("type=tmpfs,gid=1", 'gid not allowed for "tmpfs" type mounts'),
        ("type=bind,sharing=shared", "invalid cache sharing set for bind mount"),
        ("type=secret", "invalid secret mount. one of source, target required"),
        ("type=secret,id=a,source=b", "both source and id can't be set"),
        ("type=secret,id=a,from=b", "secret mount should not have a from"),
        ("type=secret,id=a,sharing=shared", "secret mount should not define sharing"),
    ],
)  # fmt: skip
def test_a_mount_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(Fault) as fault:
        parse_mount(text)
    assert fault.value.message == message


def test_values_are_filled_in_but_not_the_stage() -> None:
    assert parse_mount("target=/$X", lambda word: word.replace("$X", "x")).target == "/x"
    assert check_mount("type=$T,from=build") == "build"
    with pytest.raises(Fault, match="doesn't support variable expansion"):
        check_mount("from=$X")
