"""What a container is like after it was paused, renamed, watched or copied from.

Most of these facts change no picture: that somebody looked is told as a sentence alone.
"""

from dataclasses import replace
from typing import assert_never

from pyminidock import events as e
from pyminidock.viz.things import Container

LifecycleEvent = (
    e.ContainerStopped | e.ContainerPaused | e.ContainerUnpaused | e.ContainerRestarted
    | e.RestartScheduled | e.ContainerRenamed | e.ContainerUpdated | e.ContainerAttached
    | e.ContainerDetached | e.TerminalResized | e.MemoryExhausted | e.ExecDetached
    | e.HealthProbed | e.HealthChanged | e.ContainerExported | e.PathArchived
    | e.PathExtracted | e.ContainerCommitted | e.ProcessesListed
)  # fmt: skip


def container_after(container: Container, event: LifecycleEvent) -> Container:
    """Give the container after one such event; the same one if nothing shows."""
    match event:
        case e.ContainerPaused():
            return replace(container, state="paused")
        case e.ContainerUnpaused():
            return replace(container, state="running")
        case e.RestartScheduled():
            return replace(container, state="restarting")
        case e.ContainerRenamed():
            return replace(container, name=event.after)
        case (
            e.ContainerStopped() | e.ContainerRestarted() | e.ContainerUpdated()
            | e.ContainerAttached() | e.ContainerDetached() | e.TerminalResized()
            | e.MemoryExhausted() | e.ExecDetached() | e.HealthProbed()
            | e.HealthChanged() | e.ContainerExported() | e.PathArchived()
            | e.PathExtracted() | e.ContainerCommitted() | e.ProcessesListed()
        ):  # fmt: skip
            return container
        case _:
            assert_never(event)
