"""What type checkers know of the options. `make lint` checks this file; nothing runs it.

Each line with an error says which one, and a comment that is not needed is an error too.
"""

import fastmllp
from fastmllp import aio
from fastmllp.link import Hl7, SocketLink

fastmllp.Server(timeout=5, policy="conformant", allow=["10.0.0.0/8"])
fastmllp.Server(timeout="5")  # type: ignore[arg-type]
fastmllp.Server(policy="other")  # type: ignore[arg-type]
fastmllp.Server(executor=None)  # type: ignore[call-arg]
fastmllp.serve(handler=None, name="adt-in")
fastmllp.serve(idle_timeout=1)  # type: ignore[call-arg]

fastmllp.Client(strict=True, wait_for="accept")
fastmllp.Client(wait_for="other")  # type: ignore[arg-type]
fastmllp.Pool(size=3, wait_for="accept")
fastmllp.Pool(window=3)  # type: ignore[call-arg]
fastmllp.send("127.0.0.1", 2575, b"", timeout=1)
fastmllp.send("127.0.0.1", 2575, b"", timout=1)  # type: ignore[call-arg]

aio.Pool(window=3, timeout=1)
aio.connect(window=3, strict=True)
aio.connect(timout=1)  # type: ignore[call-arg]

SocketLink(policy="conformant", over_limit="refuse", idle_timeout=5, mode="client")
SocketLink(policy="other")  # type: ignore[call-overload]
SocketLink(checksum=True)  # type: ignore[call-overload]
SocketLink(protocol="astm", checksum=True)
Hl7(None, idle_timeout=5, policy="conformant")
Hl7(None, allow=[])  # type: ignore[call-arg]


async def serve() -> None:
    await aio.start_server(None, "127.0.0.1", 0, executor=None, handler_timeout=1)
    await aio.start_server(idle_timeout=1)  # type: ignore[call-arg]
