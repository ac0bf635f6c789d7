"""What conditions ask about the layers of a container.

answers("c", "/etc/passwd") == "upper"   which layer's file is shown under this name
wrote("c", "/d") == "opaque"             how the container's own layer has it
container("c").written < 1 kB            what that layer holds

Both are told by the engine, which reads the layers and asks nothing inside.
"""

from collections.abc import Callable
from typing import Any

from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused
from pyminidock.course.goal import Absent, Fact


def answers(client: Client, container: str, at: str) -> Fact:
    """Tell which layer answers for a path: "upper", or "layer N".  Raises Absent."""
    told = _asked(container, lambda: client.files.lookup(container, at))
    shown = [each["layer"] for each in told["holdings"]
             if each["role"] in ("shown", "merged")]  # fmt: skip
    if not shown:
        raise Absent(f"there is no {at} in {container}")
    return Fact(f"the layer that answers for {at} in {container}", str(shown[0]))


def wrote(client: Client, container: str, at: str) -> Fact:
    """Tell how a path is in the container's own layer: added, changed, deleted, opaque.

    Raises Absent where that layer does not have it.
    """
    told = _asked(container, lambda: client.files.written(container))
    for each in told["entries"]:
        if each["path"] == at and each["change"] != "same":
            is_opaque = each.get("detail") == "opaque" and each["change"] != "deleted"
            said = "opaque" if is_opaque else str(each["change"])
            return Fact(f"{at} in the own layer of {container}", said)
    raise Absent(f"the own layer of {container} says nothing of {at}")


def written(client: Client, container: str) -> Fact:
    """Tell how many bytes the container's own layer holds."""
    told = _asked(container, lambda: client.files.written(container))
    return Fact(f"what {container} wrote into its own layer", told["size_bytes"], unit="B")


def _asked(container: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Ask the engine; a container that is not there is an answer.  Raises Absent."""
    try:
        return ask()
    except Refused as refusal:
        if refusal.status != 404:
            raise
        raise Absent(f"no container is called {container}") from refusal
