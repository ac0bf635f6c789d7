"""The words that an image remembers; tests/compat compares them with dockerd's."""

import pytest

from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.history import (
    history_text,
    metadata_words,
    run_words,
    transfer_words,
    workdir_words,
)
from pyminidock.dockerfile.parse import parse

SHELL = ("/bin/sh", "-c")


def step(text: str) -> said.Instruction:
    return parse(f"FROM a\n{text}").instructions[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ENV A=1 B=2", "ENV A=1 B=2"), ("LABEL a=b", "LABEL a=b"),
        ("ARG V=7 N", "ARG V=7 N"),
        ("USER u", "USER u"), ("EXPOSE 80 443/tcp", "EXPOSE 443/tcp 80"),
        ("VOLUME /a /b", "VOLUME [/a /b]"), ("STOPSIGNAL SIGINT", "STOPSIGNAL SIGINT"),
        ('CMD ["a", "b c"]', 'CMD ["a" "b c"]'), ("CMD x", 'CMD ["/bin/sh" "-c" "x"]'),
        ("CMD []", "CMD []"), ('ENTRYPOINT ["a"]', 'ENTRYPOINT ["a"]'),
        ('SHELL ["/bin/sh", "-xc"]', "SHELL [/bin/sh -xc]"),
        ("ONBUILD RUN echo x", "ONBUILD RUN echo x"), ("MAINTAINER Bob", "MAINTAINER Bob"),
        ("HEALTHCHECK --interval=5s --timeout=2s --start-period=1s --start-interval=2s "
         "--retries=4 CMD true",
         'HEALTHCHECK &{["CMD-SHELL" "true"] "5s" "2s" "1s" "2s" \'\\x04\'}'),
        ("HEALTHCHECK NONE", 'HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" \'\\x00\'}'),
    ],
)  # fmt: skip
def test_metadata_is_spelled_as_go_prints_it(text: str, words: str) -> None:
    assert history_text(step(text), SHELL) == words
    assert metadata_words(step(text), SHELL) == ("/bin/sh", "-c", "#(nop) ", words)


def test_copies_and_directories_have_one_blank_less() -> None:
    copy = step("COPY --chown=1:2 a /b")
    assert isinstance(copy, said.Copy)
    assert " ".join(transfer_words(copy, "file:12", "/b", SHELL)) == (
        "/bin/sh -c #(nop) COPY --chown=1:2 file:12 in /b "
    )
    assert " ".join(workdir_words("/w", SHELL)) == "/bin/sh -c #(nop) WORKDIR /w"


def test_run_remembers_the_arguments_that_it_saw() -> None:
    argv = ("/bin/sh", "-c", "make")
    assert run_words(argv, (), has_arguments=False) == argv
    assert run_words(argv, (), has_arguments=True) == ("|0", *argv)
    assert run_words(argv, ("A=1",), has_arguments=True) == ("|1", "A=1", *argv)


def test_what_a_step_does_to_files_has_no_text_of_its_own() -> None:
    with pytest.raises(TypeError):
        history_text(step("RUN x"))
