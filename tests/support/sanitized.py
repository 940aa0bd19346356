"""Another build of the native code, with sanitizers: `make native-fuzz` names its folder."""

from __future__ import annotations

import os
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

SANITIZED = os.environ.get("CREDIT_NATIVE_FUZZ")


def sanitized(name: str) -> Any:
    """The extension of that name in the folder."""
    loader = ExtensionFileLoader(name, str(Path(SANITIZED or "") / f"{name}.so"))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module
