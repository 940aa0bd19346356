"""An edition that is published anew, a refusal that must not repeat what it was sent, a hash of one text only."""

from __future__ import annotations

import pytest

from services.disclosure.domain import edition
from services.disclosure.domain.audit import GENESIS, Looked, digest
from services.disclosure.domain.edition import CatalogueItem, edition_of
from services.disclosure.domain.inquiry import Refused, subject_key


def test_an_edition_that_says_something_else_replaces_the_one_of_its_number() -> None:
    state = CatalogueItem()
    for definition in ('{"fields": [{"code": "a"}]}', '{"fields": [{"code": "a", "sensitivity": "person_name"}]}'):
        given = edition_of("i", 1, definition, 0)
        (event,) = edition.decide(state, given)
        state = edition.evolve(state, event)
        assert state.editions == {1: given.edition}
    assert state.editions[1].show({"a": "x"}, person=False) == {}


@pytest.mark.parametrize("kind", ["", "UsCc", "resident_id", "passport", "name"])
def test_a_refusal_does_not_quote_the_number_it_was_asked_with(kind: str) -> None:
    with pytest.raises(Refused) as refused:
        subject_key("", kind, "420106190003070015")
    assert refused.value.code == "CODE_KIND"
    assert "4201" not in refused.value.text


def test_neighbouring_texts_do_not_run_into_each_other_in_a_hash() -> None:
    one = Looked(1, "ab", "c", "d", "e", None, "f")
    for other in (one._replace(caller="abc", channel=""), one._replace(channel="cd", purpose="")):
        assert digest("disclosure-0", 1, GENESIS, one) != digest("disclosure-0", 1, GENESIS, other)
