"""`ingest_time`, the clock of routers and handlers."""

from datetime import datetime, timedelta, timezone

import pytest
from fastmllp_engine import Message, MessageError, RawMessage

ADT = b"MSH|^~\\&|A|B|C|D|20261201||ADT^A01|1|P|2.5\r"
RECEIVED = datetime(2026, 12, 1, 4, 5, 6, 789_000, timezone(timedelta(hours=1)))


@pytest.mark.parametrize("kind", [Message, RawMessage])
def test_it_is_what_the_message_was_made_with_and_its_copies_have_it(
    kind: type[Message] | type[RawMessage],
) -> None:
    msg = kind(ADT, received=RECEIVED)
    assert msg.ingest_time() == msg.copy().ingest_time() == RECEIVED
    assert msg.ingest_time().isoformat() == "2026-12-01T03:05:06.789000+00:00"


@pytest.mark.parametrize("kind", [Message, RawMessage])
def test_nobody_invents_it(kind: type[Message] | type[RawMessage]) -> None:
    with pytest.raises(MessageError, match="received") as caught:
        kind(ADT).ingest_time()
    assert caught.value.code == "no_ingest_time"


def test_a_change_of_the_message_does_not_change_it() -> None:
    msg = Message(ADT, received=RECEIVED)
    msg["MSH-7"] = "19700101"
    assert msg.ingest_time() == RECEIVED
