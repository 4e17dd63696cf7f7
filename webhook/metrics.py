"""What the webhook counts, in a registry of its own."""

import datetime as dt

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

KINDS = ("Deployment", "Service", "Canary")
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 3.0)


class Certificates:
    """What is served to the API server, and how it came about."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.expiry = Gauge(
            "outrider_certificate_expiry_timestamp_seconds",
            "When the served certificate ends.",
            registry=registry,
        )
        self.believed = Gauge(
            "outrider_certificate_believed",
            "1 if the served certificate is signed by an authority that is published.",
            registry=registry,
        )
        self.renewals = Counter(
            "outrider_certificate_renewals",
            "Steps of the certificates' rotation that this replica took.",
            ("step",),
            registry=registry,
        )

    def served(self, expiry: dt.datetime, believed: bool) -> None:
        self.expiry.set(expiry.timestamp())
        self.believed.set(believed)


class Metrics:
    """One for each process; what Prometheus reads stands in `registry`."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "outrider_admission_requests",
            "Admission requests answered, by what was decided.",
            ("operation", "kind", "decision"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "outrider_admission_seconds",
            "Time to answer an admission request.",
            ("path",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.bugs = Counter(
            "outrider_admission_errors",
            "Objects admitted unchanged because admission itself failed.",
            registry=self.registry,
        )
        self.failures = Counter(
            "outrider_loop_failures",
            "Turns of a background loop that failed and are tried again.",
            ("loop",),
            registry=self.registry,
        )
        self.certificates = Certificates(self.registry)
        self.namespaces = Gauge(
            "outrider_namespaces", "Namespaces that are opted in.", registry=self.registry
        )
        self.outdated = Gauge(
            "outrider_outdated_namespaces",
            "Namespaces whose agent and routers are not of this version yet.",
            registry=self.registry,
        )
        info = Gauge(
            "outrider_info", "1, and what runs.", ("program", "version"), registry=self.registry
        )
        info.labels("webhook", version).set(1)

    def answered(self, operation: str, kind: str, decision: str) -> None:
        known = kind if kind in KINDS else "other"
        self.requests.labels(operation, known, decision).inc()
