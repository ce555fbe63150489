"""What scripts destroy, and whose rights they take."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from atomctl.rules.examples import script
from atomctl.rules.model import AnyRule, Compound, Confidence, Controls, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.script import ScriptFacts, Word

_KINDS = ("script", "shell handler", "container command")
_GUIDE = "https://www.shellcheck.net/wiki/"
_DATA = Controls(("A1.2", "CC7.5"), ("A.8.10", "A.8.13"), ("CP-9", "SI-12"))
_RIGHTS = Controls(("CC6.1", "CC6.3"), ("A.8.2", "A.8.18"), ("AC-6",))

_PRECIOUS = frozenset(
    {"/", "/*", "/.", "/..", "~", "~/*", "*", "/etc", "/usr", "/var", "/home", "/root", "/boot", "/lib"}
)
_WORLD_WRITABLE = (
    "777",
    "666",
    "776",
    "767",
    "772",
    "722",
    "o+w",
    "o+rw",
    "o+rwx",
    "a+w",
    "a+rw",
    "a+rwx",
    "+w",
    "ugo+w",
)
_ELEVATING = frozenset({"sudo", "doas", "su", "pkexec"})
_CONTAINER_TOOLS = frozenset({"docker", "podman", "nerdctl"})
_HOST_MOUNTS = frozenset(
    {"/", "/etc", "/root", "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock"}
)
_HOST_SPACES = frozenset({"--pid", "--net", "--network", "--ipc", "--userns", "--uts"})
_DISK_TOOLS = frozenset({"mkfs", "wipefs", "fdisk", "parted", "sfdisk", "sgdisk", "blkdiscard", "shred"})
_CLUSTER_TOOLS = frozenset({"kubectl", "oc", "helm", "terraform", "tofu", "aws", "gcloud", "az"})


def _deletes_variable(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        if command.name != "rm" or not command.flags("rR", "--recursive"):
            continue
        for word in command.operands:
            if _may_be_empty(word):
                yield found.hit(word.offset, f"deletes {word.text}, which is another place if the variable is empty")
            elif word.static and word.text.rstrip("/") in {path.rstrip("/") for path in _PRECIOUS}:
                yield found.hit(word.offset, f"deletes {word.text}", Severity.CRITICAL)


def _may_be_empty(word: Word) -> bool:
    """Whether the path begins with an expansion that nothing guards: `${DIR:?}` stops the script when it is empty."""
    bare = word.text.lstrip('"')
    return not word.static and bare.startswith("$") and ":?" not in bare and not bare.startswith("$(")


def _world_writable(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        if command.name == "chmod":
            for word in command.words:
                mode = word.text[1:] if len(word.text) == 4 and word.text[0] in "01234567" else word.text
                if mode in _WORLD_WRITABLE:
                    yield found.hit(word.offset, f"lets everybody write: chmod {word.text}")


def _elevates(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        for wrapper in (*command.wrappers, command.head):
            name = wrapper.text.rpartition("/")[2]
            if wrapper.static and name in _ELEVATING:
                yield found.hit(wrapper.offset, f"takes another user's rights with {name}")


def _disk(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        if command.name.partition(".")[0] in _DISK_TOOLS:
            yield found.hit(command.offset, f"{command.name} destroys what a disk or file holds")
        for word in command.words if command.name == "dd" else ():
            if word.text.startswith("of=/dev/") and not word.text.startswith(("of=/dev/null", "of=/dev/std")):
                yield found.hit(word.offset, f"dd writes over {word.text[3:]}")


def _mass_delete(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        if command.name not in _CLUSTER_TOOLS:
            continue
        texts = [word.text for word in command.words]
        deletes = "delete" in texts or "destroy" in texts or "uninstall" in texts
        broad = {"--all", "-A", "--all-namespaces", "destroy", "ns", "namespace", "namespaces", "node", "nodes", "crd"}
        if deletes and broad.intersection(texts):
            yield found.hit(command.offset, f"{command.name} deletes many things at once")


def _privileged_tool(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        if command.name not in _CONTAINER_TOOLS:
            continue
        for option, word in pairwise((*command.words, Word("", 0))):
            name, _, value = option.text.partition("=")
            value = value or word.text
            mounts = name in ("-v", "--volume") and value.partition(":")[0] in _HOST_MOUNTS
            shares = name in _HOST_SPACES and value == "host"
            if option.text in ("--privileged", "--privileged=true") or mounts or shares:
                yield found.hit(option.offset, f"{command.name} gives a container the node: {option.text}")


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="rm-variable",
        title="A whole tree is deleted at a path that may be another",
        severity=Severity.HIGH,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation='Write "${DIR:?}": the script then stops when the variable is empty.',
        references=(f"{_GUIDE}SC2115",),
        cwe=(73,),
        controls=_DATA,
        good=script('rm -rf "${BUILD_DIR:?}/cache"'),
        bad=script('rm -rf "$BUILD_DIR"/*'),
        subject=ScriptFacts,
        check=_deletes_variable,
    ),
    Rule(
        id="world-writable",
        title="Everybody may write a file",
        severity=Severity.HIGH,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation="Give the rights to the one user or group that needs them: chmod 750.",
        references=("https://cwe.mitre.org/data/definitions/732.html",),
        cwe=(732,),
        controls=_RIGHTS,
        good=script("chmod 750 /srv/app"),
        bad=script("chmod -R 777 /srv/app"),
        subject=ScriptFacts,
        check=_world_writable,
    ),
    Rule(
        id="sudo",
        title="A step takes another user's rights",
        severity=Severity.HIGH,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation="Run the step as the user it needs; in the sandbox there are no other rights to take.",
        references=("https://cwe.mitre.org/data/definitions/250.html",),
        cwe=(250, 269),
        controls=_RIGHTS,
        good=script("systemctl --user restart web"),
        bad=script("sudo systemctl restart web"),
        subject=ScriptFacts,
        check=_elevates,
    ),
    Rule(
        id="destroys-disk",
        title="A disk or device is written over",
        severity=Severity.CRITICAL,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation="Leave disks to the platform; delete the volume claim instead.",
        references=("https://cwe.mitre.org/data/definitions/73.html",),
        cwe=(73,),
        controls=_DATA,
        bypassable=False,
        good=script("dd if=/dev/zero of=/tmp/blank bs=1M count=1"),
        bad=script("dd if=/dev/zero of=/dev/sda bs=1M"),
        subject=ScriptFacts,
        check=_disk,
    ),
    Rule(
        id="mass-delete",
        title="A cluster or cloud tool deletes many things at once",
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation="Name the one object to delete; use a k8s handler, which keeps what it needs for a rollback.",
        references=("https://kubernetes.io/docs/reference/kubectl/generated/kubectl_delete/",),
        cwe=(73,),
        controls=_DATA,
        good=script("kubectl delete pod web-0 --namespace shop"),
        bad=script("kubectl delete pods --all --all-namespaces"),
        subject=ScriptFacts,
        check=_mass_delete,
    ),
    Rule(
        id="container-tool-privileged",
        title="A container is started with the rights of its node",
        severity=Severity.CRITICAL,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation="Remove --privileged, host namespaces and mounts of the node; run it as a Pod that can be checked.",
        references=("https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities",),
        cwe=(250,),
        controls=_RIGHTS,
        bypassable=False,
        compound=frozenset({Compound.HOST_BREAKOUT}),
        good=script("docker run --rm registry.example/tool"),
        bad=script("docker run --privileged --rm registry.example/tool"),
        subject=ScriptFacts,
        check=_privileged_tool,
    ),
)
