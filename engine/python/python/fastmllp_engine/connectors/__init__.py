"""Connectors: what a connection can be, and what one is that is written in Python."""

from fastmllp_engine.connectors.contract import (
    Connection,
    Connector,
    Credential,
    Delivery,
    DeliveryFailed,
    Intake,
    NoReply,
    NotStored,
    Receipt,
    Receiver,
    RefusedForGood,
    RefusedForNow,
    Sender,
    Transport,
)
from fastmllp_engine.connectors.file import File
from fastmllp_engine.connectors.internal import Loopback, PassThrough
from fastmllp_engine.connectors.mllp import MLLP
from fastmllp_engine.connectors.tcp import Tcp
from fastmllp_engine.connectors.timer import Timer

__all__ = [
    "MLLP",
    "Connection",
    "Connector",
    "Credential",
    "Delivery",
    "DeliveryFailed",
    "File",
    "Intake",
    "Loopback",
    "NoReply",
    "NotStored",
    "PassThrough",
    "Receipt",
    "Receiver",
    "RefusedForGood",
    "RefusedForNow",
    "Sender",
    "Tcp",
    "Timer",
    "Transport",
]
