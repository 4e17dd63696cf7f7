"""A certificate and its key given to Python's TLS, which takes them from a file only."""

import os
import ssl

from certs.authority import Issued
from certs.secret import key_pem, pem


def load(context: ssl.SSLContext, issued: Issued) -> ssl.SSLContext:
    """The same context, which shows this certificate from now on; the file is in memory only."""
    descriptor = os.memfd_create("certificate")
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem(issued.certificate) + key_pem(issued.key))
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    return context
