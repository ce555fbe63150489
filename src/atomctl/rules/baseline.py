"""The baseline controls of the Pod Security Standards as predicates over one Pod.

Each yields a hit per offending field; a Pod passes the control when there is none. The verdicts are those of
Kubernetes' own admission plugin: https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atomctl.rules.defaults import host_ports
from atomctl.rules.facts import PodFacts
from atomctl.rules.model import Hit, Path
from atomctl.rules.shape import at, mapping, mappings, sequence, text

DEFAULT_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
SELINUX_TYPES_1_0 = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
SELINUX_TYPES_1_31 = SELINUX_TYPES_1_0 | {"container_engine_t"}
SYSCTLS_1_0 = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
    }
)
SYSCTLS_1_27 = SYSCTLS_1_0 | {"net.ipv4.ip_local_reserved_ports"}
SYSCTLS_1_29 = SYSCTLS_1_27 | {
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}
SYSCTLS_1_32 = SYSCTLS_1_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}
SYSCTLS_1_37 = SYSCTLS_1_32 | {"net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"}

_APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_ANNOTATION = "container.seccomp.security.alpha.kubernetes.io/"
_CONFINED = ("RuntimeDefault", "Localhost")
_HOOKS = (
    ("livenessProbe",),
    ("readinessProbe",),
    ("startupProbe",),
    ("lifecycle", "postStart"),
    ("lifecycle", "preStop"),
)


def security_contexts(pod: PodFacts) -> Iterator[tuple[Mapping[str, Any], Path, str]]:
    """Every security context there is, the Pod's first, with its path and the label of its owner."""
    if pod.security:
        yield pod.security, pod.at("securityContext"), pod.label
    for container in pod.containers:
        if container.security:
            yield container.security, container.at("securityContext"), container.label


def privileged(pod: PodFacts) -> Iterator[Hit]:
    """No container runs privileged."""
    for container in pod.containers:
        if container.security.get("privileged") is True:
            yield Hit(container.at("securityContext", "privileged"), "runs privileged", container.label)


def host_namespaces(pod: PodFacts) -> Iterator[Hit]:
    """The Pod shares no namespace with its node."""
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(key) is True:
            yield Hit(pod.at(key), f"shares the node's namespace: {key}")


def host_paths(pod: PodFacts) -> Iterator[Hit]:
    """No volume is a path of the node."""
    for index, volume in pod.volumes():
        if volume.get("hostPath") is not None:
            path = at(volume, "hostPath", "path")
            yield Hit(pod.at("volumes", index, "hostPath"), f"mounts {path or 'a path'} of the node")


def host_port(pod: PodFacts) -> Iterator[Hit]:
    """No container opens a port of the node."""
    for container in pod.containers:
        for index, key, port in host_ports(pod, container):
            yield Hit(container.at("ports", index, key), f"opens port {port} of the node", container.label)


def host_probes(pod: PodFacts) -> Iterator[Hit]:
    """No probe or lifecycle hook names a host of its own (from 1.34)."""
    for container in pod.containers:
        for keys in _HOOKS:
            hook = at(container.value, *keys)
            for action in ("httpGet", "tcpSocket") if hook else ():
                host = at(hook, action, "host")
                if host:
                    yield Hit(container.at(*keys, action, "host"), f"makes the node call {host}", container.label)


def capabilities(pod: PodFacts) -> Iterator[Hit]:
    """No capability is added beyond the container runtime's default set."""
    for container in pod.containers:
        added = sequence(mapping(container.security.get("capabilities")).get("add"))
        for index, name in enumerate(added):
            if name not in DEFAULT_CAPABILITIES:
                where = container.at("securityContext", "capabilities", "add", index)
                yield Hit(where, f"adds the capability {name}", container.label)


def apparmor(pod: PodFacts) -> Iterator[Hit]:
    """AppArmor stays on, by field or by the older annotation."""
    for context, path, label in security_contexts(pod):
        profile = context.get("appArmorProfile")
        if isinstance(profile, dict) and profile.get("type") not in _CONFINED:
            yield Hit((*path, "appArmorProfile"), f"sets the AppArmor profile {profile.get('type')}", label)
    for key, value in pod.annotations.items():
        if not str(key).startswith(_APPARMOR_ANNOTATION) or not value:
            continue
        if value != "runtime/default" and not str(value).startswith("localhost/"):
            yield Hit((*pod.meta_path, "annotations", key), f"sets the AppArmor profile {value}")


def selinux(pod: PodFacts, types: frozenset[str]) -> Iterator[Hit]:
    """SELinux options keep to the container types, and set neither user nor role."""
    for context, path, label in security_contexts(pod):
        options = context.get("seLinuxOptions")
        if not isinstance(options, dict):
            continue
        if text(options.get("type")) not in types:
            yield Hit((*path, "seLinuxOptions", "type"), f"sets the SELinux type {options.get('type')}", label)
        for key in ("user", "role"):
            if options.get(key):
                yield Hit((*path, "seLinuxOptions", key), f"sets an SELinux {key}", label)


def proc_mount(pod: PodFacts) -> Iterator[Hit]:
    """/proc keeps the runtime's masks."""
    for container in pod.containers:
        value = container.security.get("procMount")
        if value is not None and value != "Default":
            yield Hit(container.at("securityContext", "procMount"), f"mounts /proc {value}", container.label)


def proc_mount_1_35(pod: PodFacts) -> Iterator[Hit]:
    """As before, unless the Pod has a user namespace of its own."""
    if not pod.user_namespace:
        yield from proc_mount(pod)


def sysctls(pod: PodFacts, allowed: frozenset[str]) -> Iterator[Hit]:
    """Only sysctls that stay inside the Pod are set."""
    for index, sysctl in mappings(pod.security.get("sysctls")):
        if sysctl.get("name") not in allowed:
            where = pod.at("securityContext", "sysctls", index)
            yield Hit(where, f"sets the sysctl {sysctl.get('name')}")


def seccomp_annotations(pod: PodFacts) -> Iterator[Hit]:
    """The alpha annotations name a confined profile (up to 1.18)."""
    names = [_SECCOMP_POD_ANNOTATION, *(_SECCOMP_ANNOTATION + container.name for container in pod.containers)]
    for key in names:
        value = pod.annotations.get(key)
        if value is None or value in ("runtime/default", "docker/default") or str(value).startswith("localhost/"):
            continue
        yield Hit((*pod.meta_path, "annotations", key), f"sets the seccomp profile {value}")


def seccomp(pod: PodFacts) -> Iterator[Hit]:
    """No seccomp profile is switched off by field (from 1.19)."""
    for context, path, label in security_contexts(pod):
        profile = context.get("seccompProfile")
        if isinstance(profile, dict) and profile.get("type") not in _CONFINED:
            yield Hit((*path, "seccompProfile"), f"sets the seccomp profile {profile.get('type')}", label)


def windows_host_process(pod: PodFacts) -> Iterator[Hit]:
    """No Windows container is a process of the node."""
    for context, path, label in security_contexts(pod):
        if mapping(context.get("windowsOptions")).get("hostProcess") is True:
            yield Hit((*path, "windowsOptions", "hostProcess"), "runs as a process of the Windows node", label)
