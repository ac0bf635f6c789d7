"""A quote is what stands in the source today, or a mistake."""

import pytest

from pyminidock.course.quote import NoSuchSource, quote


def test_a_quote_gives_the_source_and_its_place() -> None:
    found = quote("pyminidock.course.quote:quote")
    assert found.path == "course/quote.py"
    assert found.text.startswith("def quote(name: str) -> Quote:")
    assert str(found).splitlines()[0] == f"course/quote.py:{found.first}"
    assert f"{found.first}  def quote" in str(found)


@pytest.mark.parametrize(
    "name",
    ["pyminidock.course.quote", "os:path", "pyminidock.nowhere:x", "pyminidock.errors:y"],
)
def test_what_is_gone_is_a_mistake(name: str) -> None:
    with pytest.raises(NoSuchSource):
        quote(name)
