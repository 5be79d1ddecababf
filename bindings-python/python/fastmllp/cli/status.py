"""Exit statuses.

| status | ``serve`` | ``send`` and ``bench`` | ``peek``, ``ack`` and ``config`` |
|---|---|---|---|
| 0 | stopped by SIGINT or SIGTERM | every message was accepted | done |
| 1 | cannot listen, store, or print where it listens | a negative acknowledgment came | a message \
has no header, or no acknowledgment; cannot print |
| 2 | wrong usage, or a handler that cannot be loaded | wrong usage, a file that cannot be read or \
holds no message | the same |
| 3 | | server not reached, or no answer in time | |
| 130 | interrupted before it listened | interrupted | interrupted |

``send`` and ``bench`` are interrupted by SIGINT, SIGTERM and SIGHUP alike.

The status tells what became of the messages, also when their acknowledgments cannot be printed.
"""

DONE = ACCEPTED = STOPPED = 0
REFUSED = CANNOT_LISTEN = CANNOT_PRINT = NOT_READABLE = 1
WRONG_USAGE = 2
NOT_DELIVERED = 3
INTERRUPTED = 130
