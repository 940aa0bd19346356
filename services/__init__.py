"""The creditbus services; the generated gRPC stubs are found beside them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "_stubs"))  # generated code imports itself as `credit.<service>.v1`
