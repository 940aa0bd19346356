"""F18, F19, F20: cuts, latency, resets, half-open connections; all services behind proxies of ours in one namespace."""

from __future__ import annotations

import random
import time

from deploy.local.layout import SERVICES
from tests.chaos.fault import Measured, fault
from tests.chaos.ground import Ground
from tests.chaos.proxy import Mode
from tests.chaos.room import Room, room

LASTS_S = 15.0
LINKS = ("postgres", "kafka")  # in the order in which the texts name them


def healed(ground: Ground, of: Room, measured: Measured, seconds: float = 150) -> None:
    """Let everything pass again and measure until all is well."""
    of.heal()
    measured.recovery.append(ground.recovery(SERVICES, time.monotonic(), seconds))


@fault("F18", "network cut", "services in a namespace, packets dropped by nftables for 15 s: to and from PostgreSQL, "
       "each one way only; the same with the broker", "I1–I8", 30)  # fmt: skip
def cut(ground: Ground, chance: random.Random) -> Measured:
    """Six cuts, each healed and recovered from."""
    measured = Measured()
    with room(ground) as of:
        for part in LINKS:
            for out, back in ((True, True), (True, False), (False, True)):
                of.cut(part, out, back)
                time.sleep(LASTS_S)
                healed(ground, of, measured)
    return measured


@fault("F19a", "latency", "proxy: 200 ms each way on broker and database for 20 s", "I1–I8", 30)
def latency(ground: Ground, chance: random.Random) -> Measured:
    """Everything is slow, nothing is wrong."""
    measured = Measured()
    with room(ground) as of:
        of.proxy.order("*", Mode(delay=0.2))
        time.sleep(20)
        healed(ground, of, measured)
    return measured


@fault("F19b", "a trickle", "proxy: 1 byte/s on the database, then on the broker, for 15 s each", "I1–I8", 30)
def trickle(ground: Ground, chance: random.Random) -> Measured:
    """Bytes pass, but no answer ever comes in time."""
    measured = Measured()
    with room(ground) as of:
        for part in LINKS:
            of.proxy.order(part, Mode(rate=1))
            time.sleep(LASTS_S)
            healed(ground, of, measured)
    return measured


@fault("F19c", "reset mid-frame", "proxy: every connection torn inside a frame after 200 B to 20 kB, for 20 s: "
       "database, then broker", "I1–I8", 30)  # fmt: skip
def resets(ground: Ground, chance: random.Random) -> Measured:
    """No connection lives long."""
    measured = Measured()
    with room(ground) as of:
        for part in LINKS:
            over = time.monotonic() + 20
            while time.monotonic() < over:
                of.proxy.order(part, Mode(reset_after=chance.randrange(200, 20_000)))
                time.sleep(2)
            healed(ground, of, measured)
    return measured


@fault("F19d", "half-open", "proxy: every open connection to the database, then to the broker, stays open and silent "
       "for ever; new ones work", "I1–I8", 30)  # fmt: skip
def half_open(ground: Ground, chance: random.Random) -> Measured:
    """Only a time-out of one's own ends the wait."""
    measured = Measured()
    with room(ground) as of:
        for part in LINKS:
            of.proxy.order(part, Mode(), forget=True)
            measured.recovery.append(ground.recovery(SERVICES, time.monotonic(), 180))
    measured.note = "database {:.0f} s, broker {:.0f} s".format(*measured.recovery)
    return measured


@fault("F20", "all links clogged, healed in random order", "proxy: broker, database, registry and national platform "
       "held, both ways, for 20 s; healed one by one, 3 s apart, in an order of the seed",
       "I1–I5, liveness (I10)", 60)  # fmt: skip
def clogged(ground: Ground, chance: random.Random) -> Measured:
    """Swizzle-clog: what comes back first must not hang on what comes back last."""
    with room(ground) as of:
        order = chance.sample(sorted(of.ports), len(of.ports))
        for part in order:
            of.proxy.order(part, Mode(up=False, down=False))
        time.sleep(20)
        for part in chance.sample(order, len(order)):
            time.sleep(3)
            of.proxy.order(part)
        return Measured([ground.recovery(SERVICES, time.monotonic())])
