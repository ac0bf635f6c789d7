"""Which words of an instruction are filled in, and which are left to the shell."""

import pytest

from pyminidock.dockerfile.instructions import Instruction
from pyminidock.dockerfile.parse import parse
from pyminidock.dockerfile.substitute import substitute


def filled(text: str) -> Instruction:
    return substitute(parse(f"FROM a\n{text}").instructions[1], {"V": "v", "P": "80 81"})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("ENV $V=$V A='$V'", {"pairs": (("v", "v"), ("A", "$V"))}),
        ("LABEL a.$V=\"$V w\"", {"pairs": (("a.v", "v w"),)}),
        ("ARG A=$V B", {"pairs": (("A", "v"), ("B", None))}),
        ("WORKDIR /$V/$U", {"path": "/v/"}),
        ("USER ${V}", {"user": "v"}),
        ("VOLUME /$V /x", {"paths": ("/v", "/x")}),
        ('VOLUME /v ["/x"]', {"paths": ("/v", "[/x]")}),
        ("STOPSIGNAL $V", {"signal": "v"}),
        ("EXPOSE $P 9", {"ports": ("80", "81", "9")}),
        ("COPY --from=$V --chown=$V --chmod=$V $V /$V",
         {"sources": ("v",), "destination": "/v", "chown": "v", "chmod": "v",
          "from_name": "$V"}),
        ("ADD --checksum=$V a /b", {"checksum": "v"}),
        ("ONBUILD RUN $V", {"expression": "RUN $V"}),
        ("MAINTAINER $V", {"name": "$V"}),
        ("HEALTHCHECK CMD $V", {"test": ("CMD-SHELL", "$V")}),
        ('SHELL ["$V"]', {"words": ("$V",)}),
        ("FROM --platform=$V $V", {"base": "v", "platform": "v"}),
    ],
)  # fmt: skip
def test_words_are_filled_in(text: str, values: dict[str, object]) -> None:
    found = filled(text)
    assert {name: getattr(found, name) for name in values} == values
    assert found.text == text


@pytest.mark.parametrize("text", ["RUN $V", "CMD $V", 'ENTRYPOINT ["$V"]'])
def test_commands_are_left_to_the_shell(text: str) -> None:
    assert filled(text) == parse(f"FROM a\n{text}").instructions[1]


def test_a_heredoc_is_filled_in_unless_its_name_was_quoted() -> None:
    found = filled("COPY <<-A <<'B' /\n\t$V\\$V\n\tA\n$V\nB")
    assert [document.text for document in found.heredocs] == ["v$V\n", "$V\n"]  # type: ignore[attr-defined]
