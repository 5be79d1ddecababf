"""TLS contexts for a server and a client, made of PEM files.

TLS 1.2 is the oldest version they speak. Any other `ssl.SSLContext` can be given to a server or a
client just as well; these two say in words which file is wrong, and never quote one.
"""

from fastmllp.tls.contexts import TlsError, client_context, server_context

__all__ = ["TlsError", "client_context", "server_context"]
