"""The sending side: a client, and a pool of them."""

from fastmllp.ack import ACCEPTED
from fastmllp.client.client import Client
from fastmllp.client.pool import Pool
from fastmllp.reply import (
    ConnectError,
    ConnectionLost,
    DeliveryError,
    NoReply,
    Reply,
    ReplyTooLarge,
)

__all__ = [
    "ACCEPTED",
    "Client",
    "ConnectError",
    "ConnectionLost",
    "DeliveryError",
    "NoReply",
    "Pool",
    "Reply",
    "ReplyTooLarge",
]
