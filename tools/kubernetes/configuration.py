"""What each program of the node is told: its configuration file and its command line.

Why odd lines stand where they do: kubelet refuses control groups of version 1 unless told (`failCgroupV1`); Debian 12's
containerd 1.6 is the last one that kubelet 1.36 accepts; `restrict_oom_score_adj` for machines without
CAP_SYS_RESOURCE; limits of eviction at nothing, because the disk is the machine's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tools import debian
from tools.build import KUBERNETES
from tools.kubernetes.images import PAUSE, archives
from tools.kubernetes.layout import (
    CONTAINERD_SOCKET,
    DNS_IP,
    NODE,
    NODE_IP,
    POD_NETWORK,
    SERVICE_NETWORK,
    Layout,
)

_CONTAINERD = """\
version = 2
root = "{state}/containerd"
state = "/run/containerd"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{config}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{config}/registries"
"""
_COREFILE = """\
.:53 {{
  bind {node}
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {{
    kubeconfig {kubeconfig} node
    pods insecure
    ttl 1
  }}
}}
"""


def write_configuration(layout: Layout) -> None:
    """Afterwards `layout.config` holds every file that `commands` names."""
    config = layout.config
    (config / "cni").mkdir(parents=True)
    containerd = _CONTAINERD.format(
        state=layout.state,
        config=config,
        socket=CONTAINERD_SOCKET,
        pause=PAUSE,
        plugins=debian.tool("cni").program("bridge").parent,
    )
    (config / "containerd.toml").write_text(containerd)
    (config / "Corefile").write_text(_COREFILE.format(node=NODE_IP, kubeconfig=layout.kubeconfig))
    (config / "resolv.conf").write_text(f"nameserver {NODE_IP}\n")
    documents = {"cni/10-bridge.conflist": _NETWORK, "kubelet.json": _kubelet(layout), "proxy.json": _proxy(layout)}
    for name, document in documents.items():
        (config / name).write_text(json.dumps(document, indent=1))


_NETWORK: Mapping[str, Any] = {
    "cniVersion": "0.4.0",
    "name": "pods",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": str(POD_NETWORK)}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}


def _kubelet(layout: Layout) -> Mapping[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "failSwapOn": False,
        "cgroupDriver": "cgroupfs",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "clusterDNS": [DNS_IP],
        "clusterDomain": "cluster.local",
        "resolvConf": str(layout.config / "resolv.conf"),
        "maxOpenFiles": 20000,
        "oomScoreAdj": 0,
        "evictionHard": {
            "memory.available": "1Mi",
            "nodefs.available": "0%",
            "imagefs.available": "0%",
            "nodefs.inodesFree": "0%",
        },
        "imageGCHighThresholdPercent": 100,
        "serializeImagePulls": False,
        "nodeStatusUpdateFrequency": "5s",
    }


def _proxy(layout: Layout) -> Mapping[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": str(POD_NETWORK),
        "hostnameOverride": NODE,
        "clientConnection": {"kubeconfig": str(layout.kubeconfig)},
        "conntrack": {"maxPerCore": 0},  # a setting of the whole machine
    }


def containerd_command(layout: Layout) -> Sequence[str]:
    """The container runtime."""
    return (str(debian.tool("containerd").program("containerd")), "-c", str(layout.config / "containerd.toml"))


def import_commands() -> Sequence[Sequence[str]]:
    """What brings the images into containerd, once it answers."""
    ctr = str(debian.tool("containerd").program("ctr"))
    return [(ctr, "-a", str(CONTAINERD_SOCKET), "-n", "k8s.io", "images", "import", str(file)) for file in archives()]


def api_commands(layout: Layout) -> Mapping[str, Sequence[str]]:
    """The API server and what it stores in."""
    keys = layout.keys
    return {
        "etcd": _program(
            "etcd",
            data_dir=layout.state / "etcd",
            listen_client_urls="http://127.0.0.1:2379",
            advertise_client_urls="http://127.0.0.1:2379",
            listen_peer_urls="http://127.0.0.1:2380",
            unsafe_no_fsync="true",
        ),
        "kube-apiserver": _program(
            "kube-apiserver",
            etcd_servers="http://127.0.0.1:2379",
            secure_port=6443,
            advertise_address=NODE_IP,
            cert_dir=keys,
            tls_cert_file=keys / "api.crt",
            tls_private_key_file=keys / "api.key",
            service_account_key_file=keys / "accounts.key",
            service_account_signing_key_file=keys / "accounts.key",
            service_account_issuer="https://kubernetes.default.svc",
            token_auth_file=keys / "tokens.csv",
            authorization_mode="RBAC",
            service_cluster_ip_range=SERVICE_NETWORK,
            allow_privileged="true",
            kubelet_preferred_address_types="InternalIP",
        ),
    }


def node_commands(layout: Layout) -> Mapping[str, Sequence[str]]:
    """What needs an API that answers."""
    keys, kubeconfig = layout.keys, layout.kubeconfig
    alone: dict[str, object] = {"kubeconfig": kubeconfig, "leader_elect": "false", "bind_address": "127.0.0.1"}
    return {
        "kubelet": _program(
            "kubelet",
            kubeconfig=kubeconfig,
            config=layout.config / "kubelet.json",
            node_ip=NODE_IP,
            hostname_override=NODE,
            v=2,
        ),
        "kube-controller-manager": _program(
            "kube-controller-manager",
            **alone,
            service_account_private_key_file=keys / "accounts.key",
            root_ca_file=keys / "ca.crt",
        ),
        "kube-scheduler": _program("kube-scheduler", **alone),
        "kube-proxy": _program("kube-proxy", config=layout.config / "proxy.json"),
        "coredns": (str(KUBERNETES.program("coredns")), "-conf", str(layout.config / "Corefile")),
    }


def _program(name: str, **flags: object) -> Sequence[str]:
    """The command line of a program of Kubernetes."""
    return (
        str(KUBERNETES.program(name)),
        *(f"--{flag.replace('_', '-')}={value}" for flag, value in flags.items()),
    )
