"""Structured log records: an event, the number of the connection, and fields.

Records go to the standard logger ``fastmllp``. A server writes ``connect``, ``message_received``
with the length of the payload, ``ack_sent`` with its code, ``disconnect`` with the reason, and an
event for everything that goes wrong. An observer hears of the same events as values, whatever the
log level; see `add_observer`.

Payloads are health data: no record holds a byte of one, only lengths, unless `configure` is told
to with ``log_message``. A traceback is written without the text of its exceptions, because a
handler's ``KeyError`` or ``ValueError`` often quotes the field that it stumbled over. No record
holds a control character or a line end that came from outside.
"""

from fastmllp.logging.events import (
    FORMATS,
    LEVELS,
    LOGGER,
    Log,
    Observer,
    add_observer,
    configure,
    is_heard,
    log_event,
    log_events,
    message_fields,
    records_dropped,
    remove_observer,
    reopen,
)
from fastmllp.logging.format import JsonFormatter, TextFormatter, describe_exception

__all__ = [
    "FORMATS",
    "LEVELS",
    "LOGGER",
    "JsonFormatter",
    "Log",
    "Observer",
    "TextFormatter",
    "add_observer",
    "configure",
    "describe_exception",
    "is_heard",
    "log_event",
    "log_events",
    "message_fields",
    "records_dropped",
    "remove_observer",
    "reopen",
]
