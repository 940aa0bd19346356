"""`python -m deploy.compose.setup`: databases, topics, users, rights and the registry's rule; runs to its end."""

from __future__ import annotations

from deploy.compose.layout import layout
from deploy.local import kafka_admin, postgres, registry, topics
from deploy.local.layout import SERVICES


def main() -> None:
    """Everything is applied again at every start and changes nothing the second time."""
    place = layout()
    postgres.make_databases(place, (*SERVICES, registry.DATABASE))
    kafka_admin.apply(place, topics.platform())


if __name__ == "__main__":
    main()
