"""The sending side: a client, and a pool of them."""

from fastmllp.ack import ACCEPTED
from fastmllp.client.client import Client
from fastmllp.client.options import ClientKeywords, ClientOptions
from fastmllp.client.pool import Pool
from fastmllp.client.reply import (
    ConnectError,
    ConnectionLost,
    DeliveryError,
    EncodingError,
    LinkError,
    NoReply,
    Reply,
    ReplyTooLarge,
)
from fastmllp.serving.sockets.back_off import BackOff

__all__ = [
    "ACCEPTED",
    "BackOff",
    "Client",
    "ClientKeywords",
    "ClientOptions",
    "ConnectError",
    "ConnectionLost",
    "DeliveryError",
    "EncodingError",
    "LinkError",
    "NoReply",
    "Pool",
    "Reply",
    "ReplyTooLarge",
]
