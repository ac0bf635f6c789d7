"""Short names mean the Hub's, and Docker's words refuse the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.errors import MinidockError
from pyminidock.grammar.refs import Reference, ReferenceMalformed, parse

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "canonical", "familiar"),
    [
        ("busybox", "docker.io/library/busybox", "busybox"),
        ("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"),
        ("library/busybox", "docker.io/library/busybox", "busybox"),
        ("docker.io/busybox", "docker.io/library/busybox", "busybox"),
        ("index.docker.io/busybox", "docker.io/library/busybox", "busybox"),
        ("index.docker.io/me/x", "docker.io/me/x", "me/x"),
        ("me/app", "docker.io/me/app", "me/app"),
        ("a/b/c:d", "docker.io/a/b/c:d", "a/b/c:d"),
        ("library/a/b", "docker.io/library/a/b", "library/a/b"),
        ("localhost/x", "localhost/x", "localhost/x"),
        ("localhost:5000/x:1", "localhost:5000/x:1", "localhost:5000/x:1"),
        ("ghcr.io/a/b", "ghcr.io/a/b", "ghcr.io/a/b"),
        ("HOST/x", "HOST/x", "HOST/x"),
        ("[::1]:5000/x", "[::1]:5000/x", "[::1]:5000/x"),
        (f"a@{DIGEST}", f"docker.io/library/a@{DIGEST}", f"a@{DIGEST}"),
        (f"a:1@{DIGEST}", f"docker.io/library/a:1@{DIGEST}", f"a:1@{DIGEST}"),
        ("a--b__c.d_e", "docker.io/library/a--b__c.d_e", "a--b__c.d_e"),
        ("a:" + "t" * 128, "docker.io/library/a:" + "t" * 128, "a:" + "t" * 128),
        ("localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"),
        ("a" * 63, "docker.io/library/" + "a" * 63, "a" * 63),
    ],
)
def test_what_is_left_out_is_filled_in(text: str, canonical: str, familiar: str) -> None:
    reference = parse(text)
    assert (reference.canonical, reference.familiar) == (canonical, familiar)
    assert parse(familiar) == reference == parse(canonical)


INVALID = "invalid reference format"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", INVALID),
        (":tag", INVALID),
        ("a:", INVALID),
        ("a:b:c", INVALID),
        ("a b", INVALID),
        ("a\n", INVALID),
        ("a\0", INVALID),
        ("-a", INVALID),
        ("a/", INVALID),
        ("/a", INVALID),
        ("a//b", INVALID),
        ("a..b", INVALID),
        ("a___b", INVALID),
        ("../x", INVALID),
        ("a/../b", INVALID),
        ("https://x", INVALID),
        ("a:-x", INVALID),
        ("a:" + "t" * 129, INVALID),
        ("a@sha256:abc", INVALID),
        ("a@", INVALID),
        ("-host.io/a", INVALID),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}", INVALID),
        ("Busybox", f"{INVALID}: repository name (library/Busybox) must be lowercase"),
        ("me/App:1", f"{INVALID}: repository name (me/App) must be lowercase"),
        ("Host/App", f"{INVALID}: repository name (App) must be lowercase"),
        ("a" * 64, f"invalid repository name ({'a' * 64}), cannot specify 64-byte"
                   " hexadecimal strings"),
        ("x" * 256, "repository name must not be more than 255 characters"),
        ("a@md5:" + "0" * 32, "unsupported digest algorithm"),
        ("a@sha256:" + "0" * 63, "invalid checksum digest length"),
        ("a@sha256:" + "0" * 65, "invalid checksum digest length"),
        ("a@sha256:" + "A" * 64, "invalid checksum digest format"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_docker_s_words(text: str, message: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        parse(text)
    assert refusal.value.what == message
    offered = refusal.value.try_next.removeprefix("another name, such as ")
    assert parse(offered).familiar == offered


def test_an_endless_name_is_refused_at_once() -> None:
    with pytest.raises(MinidockError, match=f"^{INVALID}$") as refusal:
        parse("a-" * (1 << 19))
    assert len(refusal.value.try_next) < 100


def test_latest_is_meant_where_nothing_is_said() -> None:
    assert parse("a").with_default_tag().familiar == "a:latest"
    assert parse("a:1").with_default_tag().familiar == "a:1"
    assert parse(f"a@{DIGEST}").with_default_tag().familiar == f"a@{DIGEST}"


def test_another_tag_takes_the_place_of_tag_and_digest() -> None:
    assert parse(f"a:1@{DIGEST}").with_tag("2") == Reference("docker.io", "library/a", "2")
    with pytest.raises(MinidockError, match=r"^invalid tag format$"):
        parse("a").with_tag("-")


@given(st.text(st.sampled_from("ab1A.:_-/@[] "), max_size=30))
def test_every_text_is_a_reference_that_reads_back_or_a_refusal(text: str) -> None:
    try:
        reference = parse(text)
    except ReferenceMalformed:
        return
    assert parse(reference.familiar) == parse(reference.canonical) == reference
    assert ".." not in reference.path.split("/")
