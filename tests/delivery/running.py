"""Pods of the cluster in miniature."""

from dataclasses import dataclass

from tests.delivery.reviews import Document

READY_AFTER = 2
"""Seconds from a pod's start to its readiness."""
NEVER_READY = ("crashing", "stuck")


@dataclass
class Pod:
    """Its image says how it behaves, until it has `turned` otherwise: good, bad (5xx), slow,
    crashing (never runs) or stuck.
    """

    number: int
    owner: str
    template: Document
    age: int = 0
    flapping: int = 0
    turned: str = ""

    @property
    def kind(self) -> str:
        return self.turned or self.image.partition(":")[0]

    @property
    def image(self) -> str:
        return str(self.template["spec"]["containers"][0]["image"])

    @property
    def ready(self) -> bool:
        return self.kind not in NEVER_READY and self.age >= READY_AFTER and not self.flapping

    @property
    def address(self) -> str:
        return f"10.1.{self.number // 256}.{self.number % 256}"

    def manifest(self) -> Document:
        waiting = {"reason": "CrashLoopBackOff"} if self.kind == "crashing" else {}
        return {
            "metadata": {
                "name": f"web-{self.number}",
                "labels": self.template["metadata"]["labels"],
                "ownerReferences": [{"uid": self.owner, "controller": True}],
            },
            "spec": self.template["spec"],
            "status": {
                "podIP": self.address,
                "conditions": [{"type": "Ready", "status": str(self.ready)}],
                "containerStatuses": [{"state": {"waiting": waiting}}],
            },
        }
