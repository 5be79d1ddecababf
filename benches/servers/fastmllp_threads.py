"""fastmllp.Server with its defaults; a Python handler is called for every message."""

import fastmllp
from fastmllp_options import handler, log_as_asked
from listening import announce

if __name__ == "__main__":
    log_as_asked()
    server = fastmllp.Server(handler, "127.0.0.1", 0)
    announce(server.address[1])
    server.serve_forever()
