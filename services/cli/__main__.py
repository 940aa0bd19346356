"""`python -m services.cli` is `credit`."""

from __future__ import annotations

from services.cli.app import main

main()
