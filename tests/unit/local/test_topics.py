"""What the broker is asked for."""

from __future__ import annotations

from deploy.local import topics


def test_every_topic_goes_by_the_brokers_clock() -> None:
    """A service whose clock was an hour ahead could else never publish what it had committed."""
    plans = topics.platform(), topics.agency("420000-gsj")
    for topic in (topic for plan in plans for topic in plan.topics):
        assert topic.settings["message.timestamp.type"] == "LogAppendTime", topic.name
