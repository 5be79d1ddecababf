"""fastmllp.aio with its defaults; a Python handler is called for every message."""

import fastmllp.aio
from fastmllp_options import handler, log_as_asked
from listening import announce, run


async def main() -> None:
    server = await fastmllp.aio.start_server(handler, "127.0.0.1", 0)
    announce(server.address[1])
    await server.serve_forever()


if __name__ == "__main__":
    log_as_asked()
    run(main())
