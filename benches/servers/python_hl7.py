"""python-hl7 as its documentation shows it: start_hl7_server, readmessage, create_ack."""

import asyncio
import warnings

from listening import BACKLOG, announce, run

warnings.simplefilter("ignore")

from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server  # noqa: E402


async def converse(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            writer.writemessage(message.create_ack())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # The peer has left.
    finally:
        writer.close()


async def main() -> None:
    async with await start_hl7_server(converse, "127.0.0.1", 0, backlog=BACKLOG) as server:
        announce(server.sockets[0].getsockname()[1])
        await server.serve_forever()


if __name__ == "__main__":
    run(main())
