"""The sweep stands where the contract stands."""

from tests.contract.fixtures import linux, linux_root, model

__all__ = ["linux", "linux_root", "model"]
