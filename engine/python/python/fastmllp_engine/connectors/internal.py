"""Inbounds that lead nowhere outside: handlers send to them, and their routers choose who goes on.

What arrives there is still the message that was received: the content type and the encoding of the
inbound that received it count.
"""

from typing import ClassVar

from fastmllp_engine.graph import Spec


class Loopback(Spec):
    """Takes what handlers send to its name. Replies of partners will come here as well."""

    transport: ClassVar[str] = "loopback"
    receives: ClassVar[bool] = True
    takes_sends: ClassVar[bool] = True


class PassThrough(Spec):
    """Takes what handlers send to its name, to be routed again by its own router."""

    transport: ClassVar[str] = "passthrough"
    receives: ClassVar[bool] = True
    takes_sends: ClassVar[bool] = True
