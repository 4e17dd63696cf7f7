"""The AlertProvider: where alerts of Canaries are sent (reference, 1.7)."""

from typing import Any, Literal

from pydantic import Field

from delivery.api.canary import ObjectMeta
from delivery.api.model import Anything, Model, SecretRef


def address_or_secret(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"required": ["type", key]} for key in ("address", "secretRef")]


class AlertProviderSpec(Model):
    """A chat system; the address in a Secret goes before the one here."""

    model_config = {"json_schema_extra": address_or_secret}

    type: Literal["slack", "msteams", "discord", "rocket", "gchat", "pagerduty", "webhook"]
    channel: str | None = None
    username: str | None = None
    address: str | None = Field(None, description="URL of the hook.")
    proxy: str | None = None
    secret_ref: SecretRef | None = Field(
        None, description="Holds the address, and the token where one is wanted."
    )
    message_template: str | None = Field(
        None, description="The alert's text as a Go template; {{ message }} is the one it replaces."
    )


class AlertProvider(Model):
    """Where alerts of Canaries are sent."""

    api_version: str | None = None
    kind: str | None = None
    metadata: ObjectMeta | None = None
    spec: AlertProviderSpec
    status: Anything | None = None
