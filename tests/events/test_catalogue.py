"""The page that lists every event cannot lag behind the classes."""

from dataclasses import fields
from pathlib import Path

from pyminidock.events.catalogue import markdown
from pyminidock.events.journal import record_kinds

PAGE = Path(__file__).parents[2] / "docs" / "events.md"


def test_the_page_in_docs_is_what_the_classes_say() -> None:
    remedy = "python -m pyminidock.events.catalogue > docs/events.md"
    assert PAGE.read_text(encoding="utf-8") == markdown(), remedy


def test_every_kind_has_its_section_with_words_evidence_and_fields() -> None:
    sections = dict(section.split("`", 1) for section in markdown().split("\n### `")[1:])
    assert list(sections) == list(record_kinds())
    for kind, cls in record_kinds().items():
        assert f"*{cls.evidence or 'decision'}* — " in sections[kind]
        assert (cls.__doc__ or "").split("\n")[0] in sections[kind]
        for field in fields(cls):
            assert f"| `{field.name}` |" in sections[kind]


def test_every_event_is_explained_in_words() -> None:
    written = [cls.__doc__ or "" for cls in record_kinds().values()]
    assert all(len(words) > 20 and not words.startswith("Mounted(") for words in written)
