"""Lessons are played on the engine of the test run."""

from tests.minidock_cli import minidock

__all__ = ["minidock"]
