"""AdmissionReview in, few JSON patch operations out: intent by annotation, effect at admission."""

from delivery.admission.answer import Answer, envelope
from delivery.admission.by_hand import asked
from delivery.admission.canary import validated
from delivery.admission.deployment import deployment
from delivery.admission.request import Malformed, Request, read
from delivery.admission.service import service

__all__ = ["Answer", "Malformed", "Request", "envelope", "mutated", "read", "validated"]

MUTATIONS = {"Canary": asked, "Deployment": deployment, "Service": service}


def mutated(request: Request) -> Answer:
    """What to answer for an object that is created or updated; other kinds are left alone."""
    mutation = MUTATIONS.get(request.kind)
    if mutation is None or request.operation not in ("CREATE", "UPDATE"):
        return Answer("unchanged")
    return mutation(request)
