"""What a container takes from its image where the request says nothing.

    labels         both; the request's wins where a name stands in both
    health check   the request's, with the image's in every part that it leaves open

Source: moby, daemon/commit.go, merge().
"""

from collections.abc import Iterable
from dataclasses import replace

from pyminidock.image.config import Healthcheck

Label = tuple[str, str]


def labels_of(asked: Iterable[Label], image: Iterable[Label]) -> tuple[Label, ...]:
    """Lay the request's labels over the image's; sorted by name.

    >>> labels_of([("b", "mine")], [("b", "its"), ("a", "its")])
    (('a', 'its'), ('b', 'mine'))
    """
    return tuple(sorted({**dict(image), **dict(asked)}.items()))


def check_of(asked: Healthcheck | None, image: Healthcheck | None) -> Healthcheck | None:
    """Fill the request's health check up from the image's.

    >>> check_of(Healthcheck(retries=2), Healthcheck(("CMD", "true"), retries=5))
    Healthcheck(test=('CMD', 'true'), interval_ns=0, timeout_ns=0, start_period_ns=0, \
start_interval_ns=0, retries=2)
    """
    if asked is None or image is None:
        return asked or image
    return replace(
        asked,
        test=asked.test or image.test,
        interval_ns=asked.interval_ns or image.interval_ns,
        timeout_ns=asked.timeout_ns or image.timeout_ns,
        start_period_ns=asked.start_period_ns or image.start_period_ns,
        start_interval_ns=asked.start_interval_ns or image.start_interval_ns,
        retries=asked.retries or image.retries,
    )
