"""The two engines that the comparison tests put side by side."""

from tests.minidock_cli import minidock
from tests.reference import reference

__all__ = ["minidock", "reference"]
