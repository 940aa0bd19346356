"""Composition root: everything is built here and nowhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.chassis.handling import Service, Transaction
from services.chassis.runtime import Runtime
from services.identity import keys_api
from services.identity.api import IdentityApi
from services.identity.config import load_pepper
from services.identity.contracts.orders import OrderReader
from services.identity.contracts.records import Reader
from services.identity.handlers import handlers
from services.identity.keys import handlers as key_commands
from services.identity.keys import store as key_store
from services.identity.keys.files import load_key_files
from services.identity.keys.kms import Kms
from services.identity.keys.rewrapping import Rewrapper
from services.identity.keys.vault import Vault
from services.identity.store import guard


def build(runtime: Runtime) -> Service:
    """The service as the lane loop sees it."""
    pepper = load_pepper(runtime.settings.secrets)
    reader = Reader(runtime.schemas, pepper)
    files = load_key_files(runtime.settings)
    vault = Vault(runtime.pool, files.kms, files.suite, runtime.clock_ms)
    runtime.grpc_add(IdentityApi(runtime.pool, pepper, reader).register)
    runtime.grpc_add(keys_api.KeysApi(runtime.pool, vault, pepper, files).register)
    table = handlers(runtime.schemas, reader, OrderReader(runtime.schemas, pepper))
    return Service(
        "identity",
        (*table, *key_commands.handlers(runtime.schemas, files.certifier)),
        refresh=refresher(pepper, files.kms),
        unreplayed=frozenset(
            {
                "reviews.place",  # a sequence: it skips what is rolled back
                "kek",
                "person_keys",  # rows of questions that were asked, not of messages
            }
        ),
        background=(Rewrapper(runtime.pool, files.kms).run,),
    )


def refresher(pepper: bytes, kms: Kms) -> Callable[[Transaction], Awaitable[None]]:
    """Before anything is linked: the keys at hand are this store's."""
    pepper_is_ours, kek_is_ours = guard(pepper), key_store.guard(kms)
    checked = False

    async def refresh(tx: Transaction) -> None:
        nonlocal checked
        await pepper_is_ours(tx)
        if not checked:  # once is enough here: whoever uses the key looks again (keys/vault.py)
            await kek_is_ours(tx)
            checked = True

    return refresh
