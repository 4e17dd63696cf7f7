"""TLS between agents and routers, each sure of the other: what Envoy is told of it.

The certificates are files, read again whenever the kubelet puts newer ones in their place; what
Envoy serves to users depends on none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery.names import AUTHORITIES, CERTIFICATE, KEY

TLS_FOLDER = "/etc/outrider"
SHOWN, BELIEVED = "shown.json", "believed.json"

_TLS = "envoy.extensions.transport_sockets.tls.v3"


@dataclass(frozen=True)
class Files:
    """`config` holds what `secrets` says; `certificates` what it names, and is watched."""

    config: str
    certificates: str = TLS_FOLDER


def secrets(files: Files) -> Mapping[str, Any]:
    """The two files by which Envoy finds its certificate, and whom it believes.

    Named in the bootstrap itself, certificates would be read only once.
    """
    watched = {"watched_directory": {"path": files.certificates}}
    certificate = {
        "certificate_chain": _file(files, CERTIFICATE),
        "private_key": _file(files, KEY),
        **watched,
    }
    return {
        SHOWN: _secret(SHOWN, tls_certificate=certificate),
        BELIEVED: _secret(
            BELIEVED, validation_context={"trusted_ca": _file(files, AUTHORITIES), **watched}
        ),
    }


def client(files: Files) -> Mapping[str, Any]:
    """Towards the agents: a router shows its certificate, and takes orders from no one else."""
    common = {**_common(files), "alpn_protocols": ["h2"]}
    return _socket("UpstreamTlsContext", common_tls_context=common)


def server(files: Files) -> Mapping[str, Any]:
    """Towards whoever asks: an agent of this namespace, or there is no answer."""
    return _socket(
        "DownstreamTlsContext", common_tls_context=_common(files), require_client_certificate=True
    )


def _common(files: Files) -> Mapping[str, Any]:
    newest = "TLSv1_3"
    return {
        "tls_params": {
            "tls_minimum_protocol_version": newest,
            "tls_maximum_protocol_version": newest,
        },
        "tls_certificate_sds_secret_configs": [_source(files, SHOWN)],
        "validation_context_sds_secret_config": _source(files, BELIEVED),
    }


def _source(files: Files, name: str) -> Mapping[str, Any]:
    source = {"path_config_source": {"path": f"{files.config}/{name}"}}
    return {"name": name, "sds_config": {**source, "resource_api_version": "V3"}}


def _secret(name: str, **content: Any) -> Mapping[str, Any]:
    kind = f"type.googleapis.com/{_TLS}.Secret"
    return {"resources": [{"@type": kind, "name": name, **content}]}


def _socket(kind: str, **config: Any) -> Mapping[str, Any]:
    typed = {"@type": f"type.googleapis.com/{_TLS}.{kind}", **config}
    return {"name": "tls", "typed_config": typed}


def _file(files: Files, name: str) -> Mapping[str, Any]:
    return {"filename": f"{files.certificates}/{name}"}
