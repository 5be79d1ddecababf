"""What a refusal tells to say instead is there to be said."""

import dataclasses
import re

import pytest
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import Handler, Inbound, Outbound, RetryPolicy, refused
from fastmllp_engine.graph.settings import AlertSettings, Settings

TEXTS = {
    **refused.OF_BOTH,
    **refused.OF_INBOUND,
    **refused.OF_OUTBOUND,
    **refused.OF_HANDLER,
    **refused.OF_TRANSPORT,
    **refused.NAMES,
}


def fields_of(kind: type) -> set[str]:
    return {it.name for it in dataclasses.fields(kind) if it.init}


def known() -> set[str]:
    kinds = (Inbound, Outbound, Handler, MLLP, RetryPolicy, Settings, AlertSettings)
    return {name for kind in kinds for name in fields_of(kind)}


@pytest.mark.parametrize("key", TEXTS)
def test_every_key_that_a_refusal_names_exists(key: str) -> None:
    text = TEXTS[key]
    named = re.findall(r"\b[a-z]+(?:_[a-z]+)+\b|(?<=say )[a-z_]+(?=[ =])", text)
    named = [name for name in named if name != "so"]
    assert [name for name in named if name not in known()] == []


@pytest.mark.parametrize("kind", [Inbound, Outbound, Handler, MLLP])
def test_what_is_refused_is_no_key(kind: type) -> None:
    of_it = getattr(kind, "refused", {})
    assert of_it and not set(of_it) & fields_of(kind)
