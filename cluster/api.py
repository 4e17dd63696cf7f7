"""Kubernetes objects read and written as plain mappings, unknown fields kept."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import urllib3
from kubernetes import client, config

from cluster.errors import BY_STATUS, ClusterError, Missing, Unreachable
from cluster.kinds import Kind, kind_of

Object = dict[str, Any]

TIMEOUT = 10.0
"""Seconds that one call may take; watches have their own."""


class TimedClient(client.ApiClient):
    """The official client with a time-out on every call that does not name one."""

    seconds = TIMEOUT

    def call_api(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["_request_timeout"] = kwargs.get("_request_timeout") or self.seconds
        return super().call_api(*args, **kwargs)


def connect(kubeconfig: str | None = None) -> TimedClient:
    """A client from a kubeconfig file, or from the pod's own ServiceAccount."""
    configuration = client.Configuration()
    if kubeconfig:
        config.load_kube_config(kubeconfig, client_configuration=configuration)
    else:
        config.load_incluster_config(client_configuration=configuration)
    configuration.retries = False
    configuration.connection_pool_maxsize = 32
    return TimedClient(configuration)


class Api:
    """The few calls that Outrider makes; errors are those of cluster.errors."""

    def __init__(self, connection: TimedClient) -> None:
        self.connection = connection

    def read(self, kind: str, name: str, *, namespace: str | None = None) -> Object | None:
        """One object, or None where it is not there."""
        try:
            return self.call("GET", kind_of(kind).path(namespace, name))
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    def list(
        self, kind: str, *, namespace: str | None = None, query: Mapping[str, str] | None = None
    ) -> Sequence[Object]:
        """The objects of one kind, each with its apiVersion and kind filled in."""
        found = kind_of(kind)
        return with_kind(found, self.call("GET", found.path(namespace), query=query)["items"])

    def serves(self, kind: str) -> bool:
        """Whether the API server knows the kind: its definition may not be installed."""
        found = kind_of(kind)
        try:
            answer = self.call("GET", found.path().rpartition("/")[0])
        except Missing:
            return False
        return any(one["name"] == found.plural for one in answer["resources"])

    def create(self, manifest: Mapping[str, Any], *, manager: str) -> Object:
        kind, namespace, _ = place(manifest)
        path = kind.path(namespace)
        return self.call("POST", path, body=manifest, query={"fieldManager": manager})

    def apply(
        self, manifest: Mapping[str, Any], *, manager: str, force: bool = True, dry: bool = False
    ) -> Object:
        """Server-side apply: creates, or takes over just the fields that the manifest names."""
        kind, namespace, name = place(manifest)
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        if dry:
            query["dryRun"] = "All"
        path = kind.path(namespace, name)
        return self.call("PATCH", path, body=manifest, query=query, content=APPLY)

    def merge(self, target: Mapping[str, Any], patch: Mapping[str, Any], *, manager: str) -> Object:
        """JSON merge patch of the object that `target` names; the answer is the stored object."""
        kind, namespace, name = place(target)
        path = kind.path(namespace, name)
        return self.call("PATCH", path, body=patch, query={"fieldManager": manager}, content=MERGE)

    def replace(self, manifest: Mapping[str, Any], *, manager: str, dry: bool = False) -> Object:
        """The whole object, refused as a Conflict if it changed since it was read."""
        kind, namespace, name = place(manifest)
        path = kind.path(namespace, name)
        query = {"fieldManager": manager, **({"dryRun": "All"} if dry else {})}
        return self.call("PUT", path, body=manifest, query=query)

    def replace_status(self, manifest: Mapping[str, Any], *, manager: str) -> Object:
        """The whole status, refused as a Conflict if the object changed since it was read."""
        kind, namespace, name = place(manifest)
        path = kind.path(namespace, name) + "/status"
        return self.call("PUT", path, body=manifest, query={"fieldManager": manager})

    def delete(self, kind: str, name: str, *, namespace: str | None = None) -> None:
        """Gone or going; no error where it was gone before."""
        try:
            self.call("DELETE", kind_of(kind).path(namespace, name))
        except ClusterError as error:
            if error.status != 404:
                raise

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        content: str = "application/json",
    ) -> Object:
        """One request to the API; the JSON of its answer."""
        headers = {"Accept": "application/json", "Content-Type": content}
        request = self.connection.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=None if body is None else dict(body),
            auth_settings=["BearerToken"],
        )
        try:
            response = self.connection.call_api(*request)
            data = response.read()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{method} {path}: {error}") from error
        if not 200 <= response.status <= 299:
            raise refusal(f"{method} {path}", response.status, data)
        try:
            answer: Object = json.loads(data)
        except ValueError as error:
            raise ClusterError(
                f"{method} {path}: the answer is no JSON", response.status
            ) from error
        return answer


MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


def refusal(call: str, status: int, data: bytes) -> ClusterError:
    """The API's own message where it gave one."""
    try:
        message = json.loads(data)["message"]
    except (ValueError, KeyError, TypeError):
        message = data[:200].decode(errors="replace")
    return BY_STATUS.get(status, ClusterError)(f"{call}: {status} {message}", status)


def place(manifest: Mapping[str, Any]) -> tuple[Kind, str | None, str]:
    """Kind, namespace and name of a manifest."""
    metadata = manifest["metadata"]
    return kind_of(manifest["kind"]), metadata.get("namespace"), metadata.get("name", "")


def with_kind(kind: Kind, items: Sequence[Object]) -> Sequence[Object]:
    """Items of a list come without their apiVersion and kind; here they are put back."""
    return [{"apiVersion": kind.api_version, "kind": kind.name, **item} for item in items]
