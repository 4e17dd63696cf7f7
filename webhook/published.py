"""Which authorities the API servers have been told to believe, as read back, and since when."""

from collections.abc import Mapping, Sequence

from cryptography import x509

from certs.authority import signed


class Published:
    """Written by one loop, read by every probe; an API server needs a while to hear of a change."""

    def __init__(self, settle_seconds: float) -> None:
        self.settle_seconds = settle_seconds
        self.since: Mapping[x509.Certificate, float] = {}

    def saw(self, bundles: Sequence[bytes], now: float) -> None:
        """The caBundles of all webhooks: what stands in each of them counts."""
        common = set.intersection(*map(authorities, bundles)) if bundles else set()
        self.since = {one: self.since.get(one, now) for one in common}

    def trusted(self, now: float) -> frozenset[x509.Certificate]:
        """Those that every API server has heard of by now."""
        return frozenset(
            one for one, since in self.since.items() if now - since >= self.settle_seconds
        )

    def believes(self, leaf: x509.Certificate) -> bool:
        return any(signed(leaf, by) for by in self.since)


def authorities(bundle: bytes) -> set[x509.Certificate]:
    """Empty where it is no list of certificates."""
    try:
        return set(x509.load_pem_x509_certificates(bundle))
    except ValueError:
        return set()
