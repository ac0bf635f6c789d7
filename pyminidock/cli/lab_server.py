"""JupyterLab itself, without the one thing that takes longest and that nobody asks for.

    python -m pyminidock.cli.lab_server …   is   python -m jupyterlab …

When the server loads, its checker of JSON schemas compiles a grammar of all international
addresses, RFC 3987, to be able to judge a field of the format "iri".  No schema of Jupyter
has one, and it is two thirds of the server's start.  The checker can do without where the
grammar is not installed, and then judges no such field; so it is told that it is not.
"""

import sys

_GRAMMAR = "rfc3987_syntax"


def main() -> None:
    """Become JupyterLab, with the words of this process."""
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # Python's word for "not there"
    from jupyterlab.labapp import main as jupyterlab  # noqa: PLC0415  (after it was said)

    jupyterlab()


if __name__ == "__main__":
    main()
