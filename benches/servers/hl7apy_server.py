"""hl7apy's MLLPServer: one message for each connection, parsed and answered with hl7apy."""

from hl7apy.core import Message
from hl7apy.mllp import AbstractHandler, MLLPServer
from hl7apy.parser import parse_message
from listening import BACKLOG, announce


class Acknowledge(AbstractHandler):
    def reply(self) -> str:
        header = parse_message(self.incoming_message, find_groups=False).msh
        answer = Message("ACK", version="2.5.1")
        answer.msh.msh_3 = header.msh_5.to_er7()
        answer.msh.msh_4 = header.msh_6.to_er7()
        answer.msh.msh_5 = header.msh_3.to_er7()
        answer.msh.msh_6 = header.msh_4.to_er7()
        answer.msh.msh_9 = "ACK^A01^ACK"
        answer.msh.msh_10 = "1"
        answer.msh.msh_11 = "P"
        answer.msa.msa_1 = "AA"
        answer.msa.msa_2 = header.msh_10.to_er7()
        return answer.to_mllp()


class Server(MLLPServer):
    request_queue_size = BACKLOG


if __name__ == "__main__":
    server = Server("127.0.0.1", 0, {"ADT^A01^ADT_A01": (Acknowledge,)})
    announce(server.server_address[1])
    server.serve_forever()
