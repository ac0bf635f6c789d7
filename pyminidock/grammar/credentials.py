"""What a credential looks like when it stands in a text by mistake.

Well-known tokens begin with a few letters of their maker, so that programs can find them:
that is all that is looked for here, and it is rarely wrong.  Names of variables and options
that announce a secret are the business of `events.redaction`, which hides them while a
story is recorded; this is the last look, before a recording leaves the machine.

Source: the documentation of each maker on how its tokens begin.
"""

import re

# Possessive, and from the beginning of a word: a line comes from strangers, and must not
# cost minutes.
_CREDENTIALS = re.compile(
    r"AKIA[0-9A-Z]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|glpat-[\w-]{16,}"
    r"|xox[abprs]-[\w-]{10,}"
    r"|(?<![\w-])eyJ[\w-]{8,}+\.eyJ[\w-]{8,}+\.[\w-]"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|(?i:\b(?:bearer|basic) [\w+/=.-]{16,})"
)


def left_over(line: str) -> str:
    """Give what still looks like a credential in a line; "" is the rule.

    >>> left_over("echo hi"), left_over("echo ghp_" + "a" * 36)[:7]
    ('', 'ghp_aaa')
    """
    found = _CREDENTIALS.search(line)
    return found.group() if found else ""
