"""Who hears of it when somebody takes a device of the host away, or its name.

The kernel tells everybody who listens to the group of devices.  One thread does, as long
as there is anyone to ring; it remembers names, because a message about a new name does not
say the old one.

Source: man 7 rtnetlink, RTMGRP_LINK; man 7 netlink, ENOBUFS.
"""

import contextlib
import errno
import os
import select
import threading
from collections.abc import Callable

from pyminidock.kernel.linux import rtnetlink as rt
from pyminidock.kernel.linux.netfacts import link_of, read_links
from pyminidock.kernel.linux.netlink import Message, Netlink

Bell = Callable[[str], object]


class LinkWatch:
    """The bells of one engine; without any there is neither thread nor socket."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bells: list[Bell] = []
        self._wake = -1  # where the thread is told to end
        self._thread: threading.Thread | None = None

    def add(self, bell: Bell) -> Callable[[], None]:
        """Ring `bell` with the name of each device that goes away, is renamed or lowered.

        "" where messages were lost.  What is given takes the bell down; twice is fine.
        """
        with self._lock:
            self._bells.append(bell)
            if self._thread is None:
                self._start()
        return lambda: self._take_down(bell)

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            self._bells.clear()
            thread = self._stop()
        if thread and thread is not threading.current_thread():
            thread.join()

    def _take_down(self, bell: Bell) -> None:
        with self._lock:
            with contextlib.suppress(ValueError):
                self._bells.remove(bell)
            thread = None if self._bells else self._stop()
        if thread and thread is not threading.current_thread():
            thread.join()

    def _start(self) -> None:
        netlink = Netlink(groups=rt.GROUP_LINKS)
        with Netlink() as host:  # only after we listen, so that nothing is missed between
            known = {n: (k.name, k.is_up) for n, k in read_links(host).items()}
        ending, self._wake = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(
            target=self._listen, args=(netlink, ending, known), name="links", daemon=True
        )
        self._thread.start()

    def _stop(self) -> threading.Thread | None:
        thread, self._thread = self._thread, None
        if thread:
            os.close(self._wake)
        return thread

    def _listen(
        self, netlink: Netlink, ending: int, known: dict[int, tuple[str, bool]]
    ) -> None:
        poll = select.poll()
        poll.register(netlink.socket, select.POLLIN)
        poll.register(ending, select.POLLIN)
        try:
            while ending not in (number for number, _ in poll.poll()):
                for name in _gone(netlink, known):
                    self._ring(name)
        finally:
            netlink.close()
            os.close(ending)

    def _ring(self, name: str) -> None:
        with self._lock:
            bells = tuple(self._bells)
        for bell in bells:
            bell(name)


def _gone(netlink: Netlink, known: dict[int, tuple[str, bool]]) -> list[str]:
    """Read once; name the devices that are no longer what they were."""
    try:
        messages = netlink.receive()
    except OSError as refusal:
        if refusal.errno != errno.ENOBUFS:
            raise
        with Netlink() as host:
            known.clear()
            known.update((n, (k.name, k.is_up)) for n, k in read_links(host).items())
        return [""]
    return [name for message in messages if (name := _lost(message, known))]


def _lost(message: Message, known: dict[int, tuple[str, bool]]) -> str:
    """Give the name that a device had until this message, if it is gone now; else ""."""
    if message.kind not in (rt.RTM_NEWLINK, rt.RTM_DELLINK) or message.body[0]:
        return ""  # of a bridge about its ports: a port that left is still a device
    link, _ = link_of(message.body)
    name, was_up = known.pop(link.index, ("", False))
    if message.kind == rt.RTM_DELLINK:
        return name or link.name
    known[link.index] = (link.name, link.is_up)
    is_less = name != link.name or (was_up and not link.is_up)
    return name if is_less else ""
