"""Applications for tests that run with other constants than those of production."""

from types import ModuleType
from typing import Any


def override_constants(module: ModuleType, **values: Any) -> None:
    """Give module constants other values; AttributeError if one does not exist, which a plain assignment would hide."""
    for name, value in values.items():
        getattr(module, name)
        setattr(module, name, value)
