"""A candidate for a Lease, as a process of its own that can be killed: NAMESPACE IDENTITY."""

import signal
import sys

from cluster.api import connect
from cluster.lease import Leadership
from demo.namespace import kubeconfig

if __name__ == "__main__":
    namespace, identity = sys.argv[1:]
    Leadership(
        connect(kubeconfig()), name="candidates", namespace=namespace, identity=identity
    ).start()
    signal.pause()
