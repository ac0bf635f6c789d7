"""What you would type to sift packets by hand: `nft`.

Source: man 8 nft.
"""

import shlex

from pyminidock import events
from pyminidock.events import Event


def plain_rule(event: Event) -> str:
    """Give the command with the effect of an event about rules, "" for any other.

    >>> plain_rule(events.ElementsAdded("t", ("inet bridges { br0 }",)))
    "nft 'add element inet t bridges { br0 }'"
    """
    match event:
        case events.RulesMade(table):
            return f"nft -f {shlex.quote(table)}.nft"
        case events.RulesRemoved(table):
            families = ("inet", "bridge")
            return "; ".join(f"nft destroy table {each} {table}" for each in families)
        case events.ElementsAdded(table, elements):
            return _moved("add", table, elements)
        case events.ElementsDropped(table, elements):
            return _moved("destroy", table, elements)
    return ""


def _moved(verb: str, table: str, elements: tuple[str, ...]) -> str:
    lines = []
    for each in elements:
        family, _, rest = each.partition(" ")
        lines.append(f"{verb} element {family} {table} {rest}")
    return "nft " + shlex.quote("; ".join(lines))
