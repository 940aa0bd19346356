"""var/stack.env: where everything listens, for shells and tests."""

from __future__ import annotations

import shlex

from deploy.local.layout import SERVICES, Layout


def addresses(layout: Layout) -> dict[str, str]:
    """Names and values; no secret among them."""
    found = {
        "CREDIT_VAR": str(layout.var),
        "CREDIT_PORT_BASE": str(layout.port_base),
        "CREDIT_KAFKA": layout.address("kafka"),
        "CREDIT_REGISTRY": layout.registry_url,
        "CREDIT_POSTGRES": layout.address("postgres"),
        "CREDIT_PROMETHEUS": f"http://{layout.address('prometheus')}",
        "CREDIT_NATIONAL_URL": f"https://{layout.address('national')}",
        "CREDIT_SECRETS": str(layout.secrets),
    }
    for service in SERVICES:
        found[f"CREDIT_{service.upper()}_HTTP"] = layout.address(f"{service}.http")
        found[f"CREDIT_{service.upper()}_GRPC"] = layout.address(f"{service}.grpc")
    return found


def write(layout: Layout) -> None:
    """Write the file; `set -a; . var/stack.env` reads it."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in addresses(layout).items()]
    (layout.var / "stack.env").write_text("".join(lines))
