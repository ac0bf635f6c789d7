"""A real container engine that shows every step.

Importing this package is free: it loads no room.  Read the source from the cellar up:
`errors`, `events`, then the pure rooms, then the one door to Linux, `kernel`.

To use it: `pyminidock.start()`, `.run("busybox", "echo hi")`, `.build(".")`, all of which
return at once; in a notebook, `%load_ext pyminidock`.
"""

TYPE_CHECKING = False  # `typing`, which knows better, would cost every shim its memory
if TYPE_CHECKING:
    from typing import Any

# Loaded when they are first asked for: `import pyminidock` is to stay free.
_ELSEWHERE = {
    "start": "client.session", "run": "client.session", "build": "client.session",
    "Engine": "client.session",
    "load_ipython_extension": "widgets.magics",
    "unload_ipython_extension": "widgets.magics",
}  # fmt: skip

__version__ = "0.1.0"


def __getattr__(name: str) -> "Any":
    """Load what is asked for."""
    import importlib  # noqa: PLC0415  (as above)

    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"pyminidock.{_ELSEWHERE[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    """Name what can be asked for."""
    return sorted([*globals(), *_ELSEWHERE])
