"""As much of the Kubernetes API as starting a node takes, with the standard library alone."""

from __future__ import annotations

import json
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from tools.kubernetes.layout import API, DNS_IP, NODE, NODE_IP, Layout

_PATIENCE = 5.0


def alive(layout: Layout) -> bool:
    """Whether the API server answers at all; a refusal is an answer."""
    try:
        _request(layout, "GET", "/livez")
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def node_ready(layout: Layout) -> bool:
    """Whether pods can be created: the API is ready, the node too, and there is an account for them."""
    try:
        _request(layout, "GET", "/readyz")
        _request(layout, "GET", "/api/v1/namespaces/default/serviceaccounts/default")
        node = json.loads(_request(layout, "GET", f"/api/v1/nodes/{NODE}"))
    except OSError:
        return False
    conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and not node["spec"].get("taints")


def publish_dns(layout: Layout) -> None:
    """Afterwards the address that pods ask for names leads to the node's own CoreDNS. The API must be ready."""
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns"},
        "spec": {"clusterIP": DNS_IP, "ports": ports},
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "kube-dns-host", "labels": {"kubernetes.io/service-name": "kube-dns"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [NODE_IP]}],
        "ports": ports,
    }
    _request(layout, "POST", "/api/v1/namespaces/kube-system/services", service)
    _request(layout, "POST", "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices", endpoints)


def _request(layout: Layout, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
    """The answer.

    Raises:
        OSError: nobody answered, or with a refusal, which is an `urllib.error.HTTPError`.
    """
    token = re.search(r'token: "(\w+)"', layout.kubeconfig.read_text())
    assert token is not None
    headers = {"Authorization": f"Bearer {token[1]}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, data, headers, method=method)
    trust = ssl.create_default_context(cafile=layout.keys / "ca.crt")
    directly = urllib.request.ProxyHandler({})
    opener = urllib.request.build_opener(directly, urllib.request.HTTPSHandler(context=trust))
    with opener.open(request, timeout=_PATIENCE) as answer:
        return bytes(answer.read())
