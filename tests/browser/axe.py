"""What hinders people, as far as a program can find it: axe-core, inside one element.

    assert hindrances(sheet.page, ".md-root") == []

Each hindrance is one sentence: the rule, how grave, where, and what axe says about it.
Only what we draw is looked at: the page around it is JupyterLab's and has faults of its
own.  A program finds perhaps a third; the rest takes a keyboard and eyes.

Source: axe-core, doc/API.md; the file comes with axe-playwright-python.
"""

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

# WCAG 2.2 at level AA, and what axe's makers recommend beyond it.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

_RUN = """([selector, tags]) => {
  if (!document.querySelector(selector)) throw new Error(`nothing matches ${selector}`);
  return axe.run(selector, { runOnly: { type: 'tag', values: tags } });
}"""


def hindrances(page: Page, selector: str = ".md-root") -> list[str]:
    """Name what axe finds inside the elements; raises where there is no such element."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = page.evaluate(_RUN, [selector, TAGS])
    return [_sentence(each, node) for each in found["violations"] for node in each["nodes"]]


def _sentence(violation: dict[str, Any], node: dict[str, Any]) -> str:
    where = " ".join(map(str, node["target"]))
    why = " ".join(str(node["failureSummary"]).split())
    return f"{violation['id']} ({violation['impact']}) at {where}: {why}"
