"""`python -m deploy.compose.prepare`: once, before `docker-compose up`: passwords and the files that hold them."""

from __future__ import annotations

import sys

from deploy.compose.layout import layout
from deploy.local import broker, operators, passwords, registry, topics
from deploy.local.layout import SERVICES
from deploy.national_platform import certificates


def main() -> None:
    """Write var/compose; running it again changes nothing but the configuration."""
    place = layout()
    roles = (*SERVICES, registry.DATABASE, "postgres", broker.ADMIN, broker.BROKER, *topics.platform().principals)
    for role in roles:
        passwords.password(place.secrets, role)
    passwords.keys(place.secrets)
    operators.prepare(place)
    broker.write_properties(place, data="/var/lib/kafka/data")
    users = "\n".join(f"--add-scram={broker.scram(place, user)}" for user in (broker.ADMIN, broker.BROKER))
    passwords.write_private(place.var / "kafka" / "users", users + "\n")
    for folder in ("kafka/data", "postgres", "national"):  # made here, so that they are ours and not the daemon's
        (place.var / folder).mkdir(parents=True, exist_ok=True)
    certificates.ensure(place.var / "national")
    registry.prepare(place, host="0.0.0.0")  # noqa: S104 - inside the compose network
    sys.stdout.write(f"written to {place.var}; now: CREDIT_UID=$(id -u) CREDIT_GID=$(id -g) docker-compose up\n")


if __name__ == "__main__":
    main()
