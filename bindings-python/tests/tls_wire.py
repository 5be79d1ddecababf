"""Two ends of TLS and nothing between them."""

from fastmllp.tls.session import TlsSession


def exchange(client: TlsSession, server: TlsSession, step: int = 1 << 30) -> tuple[bytes, bytes]:
    """Carry everything over, in pieces; what came out at the client's end and at the server's."""
    heard = {client: b"", server: b""}
    while client.unsent or server.unsent:
        for sender, receiver in ((client, server), (server, client)):
            wire = sender.outgoing()
            for start in range(0, len(wire), step):
                heard[receiver] += receiver.receive(wire[start : start + step])
    return heard[client], heard[server]
