"""One contract, every body."""

from tests.contract.fixtures import linux, linux_root, model, stand

__all__ = ["linux", "linux_root", "model", "stand"]
