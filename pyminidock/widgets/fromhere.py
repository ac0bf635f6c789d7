"""What the button "Run from here" asks for: a container with a shell, begun at a step.

It is made and not started: in a notebook there is no terminal to type into it, so what is
said is the line that does it where there is one.
"""

from pyminidock.client.handles import Client


def begin(client: Client, story: str, step: int) -> str:
    """Make a container that begins where step number `step` of a story ended.

    Gives a sentence for people.  Raises Refused, where nothing can begin there.
    """
    body = {
        "Image": "", "Entrypoint": ["sh"], "Tty": True, "OpenStdin": True,
        "HostConfig": {"StorageOpt": {"from": f"{story}@{step}"}},
    }  # fmt: skip
    name = str(client.inspect(client.create(body))["Name"]).lstrip("/")
    return f"{name} begins where step {step} ended: minidock start -ai {name}"
