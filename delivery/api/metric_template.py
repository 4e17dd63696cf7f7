"""The MetricTemplate: a query that checks of many Canaries share (reference, 1.6)."""

from typing import Literal

from pydantic import Field

from delivery.api.canary import ObjectMeta
from delivery.api.model import Anything, Model, SecretRef


class MetricProvider(Model):
    """Where the query is sent."""

    type: Literal[
        "prometheus",
        "influxdb",
        "datadog",
        "externalmetrics",
        "stackdriver",
        "cloudwatch",
        "newrelic",
        "graphite",
        "dynatrace",
        "keptn",
        "splunk",
    ]
    address: str | None = None
    headers: dict[str, tuple[str, ...]] | None = Field(None, description="Prometheus only.")
    secret_ref: SecretRef | None = Field(None, description="Credentials.")
    region: str | None = Field(None, description="CloudWatch only.")
    insecure_skip_verify: bool | None = None


class MetricTemplateSpec(Model):
    """A provider and the query it is asked."""

    provider: MetricProvider
    query: str


class MetricTemplate(Model):
    """A query that checks of many Canaries share."""

    api_version: str | None = None
    kind: str | None = None
    metadata: ObjectMeta | None = None
    spec: MetricTemplateSpec
    status: Anything | None = None
