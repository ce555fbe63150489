"""What scripts and steps reach over the network: which hosts, how well protected, and with secrets at hand."""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules.examples import handlers, package, script
from atomctl.rules.hosts import HostKind, Url, allowed, classify, urls
from atomctl.rules.model import AnyRule, Compound, Confidence, Controls, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.script import Command, ScriptFacts, Word
from atomctl.rules.shape import sequence
from atomctl.rules.subjects import PackageFacts, Step

_KINDS = ("script", "shell handler", "container command")
_CONTROLS = Controls(("CC6.6", "CC6.7"), ("A.8.20", "A.8.22"), ("SC-7", "SC-8", "AC-4"))
_EGRESS = frozenset({Compound.EXTERNAL_EGRESS})

_TOOLS = frozenset({
    "curl", "wget", "nc", "ncat", "netcat", "socat", "telnet", "ssh", "scp", "sftp", "rsync", "ftp", "lftp", "tftp",
    "aria2c", "http", "https", "dig", "nslookup", "git", "pip", "pip3", "npm", "openssl",
})  # fmt: skip
_BARE_HOST_TOOLS = frozenset({"nc", "ncat", "netcat", "telnet", "ssh", "scp", "sftp", "rsync", "ftp", "curl", "wget"})
_UNCHECKED = {
    "curl": ("k", ("--insecure", "--proxy-insecure")),
    "wget": ("", ("--no-check-certificate", "--no-hsts")),
    "ssh": ("", ("StrictHostKeyChecking=no",)),
    "git": ("", ("http.sslVerify=false",)),
    "pip": ("", ("--trusted-host",)),
    "pip3": ("", ("--trusted-host",)),
}


def _reached(command: Command) -> Iterator[tuple[Word, Url | None, str]]:
    """The words of a network command that name a host, with the URL or the bare host."""
    if command.name not in _TOOLS:
        return
    for word in command.words:
        found = list(urls(word.text)) if "://" in word.text else []
        for url in found:
            yield word, url, url.host
        if not found and command.name in _BARE_HOST_TOOLS and not word.text.startswith("-"):
            host = _bare_host(word.text)
            if host:
                yield word, None, host


def _bare_host(text: str) -> str:
    """The host of `user@host:path` or `host`, where the word can be nothing else."""
    host = text.strip("\"'").rpartition("@")[2].partition(":")[0].partition("/")[0]
    tail = host.rpartition(".")[2]
    known = host and "." in host and (tail.isdigit() or (tail.isalpha() and 2 <= len(tail) <= 18))
    return host if known and not text.startswith((".", "/", "~")) and "*" not in host else ""


def _external(found: ScriptFacts, config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        for word, url, host in _reached(command):
            if url is None and host.endswith((".sh", ".txt", ".json", ".yaml", ".log", ".gz", ".conf", ".py", ".html")):
                continue
            if classify(host) is HostKind.EXTERNAL and not allowed(host, config.allowed_hosts):
                yield found.hit(word.offset, f"{command.name} reaches {host} on the internet")


def _dynamic(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        if command.name not in _BARE_HOST_TOOLS:
            continue
        for word in command.words:
            url = next(urls(word.text), None)
            bare = word.text.strip('"').startswith("$") and command.name in ("curl", "wget")
            if (url is not None and url.kind is HostKind.DYNAMIC) or (url is None and bare and not word.runs):
                yield found.hit(word.offset, f"{command.name} reaches a host known only when it runs")


def _metadata(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        for word, _, host in _reached(command):
            if classify(host) is HostKind.METADATA:
                message = f"{command.name} reaches {host}, which hands out cloud credentials"
                yield found.hit(word.offset, message)


def _plain_http(found: ScriptFacts, config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        for word, url, host in _reached(command):
            local = host in ("localhost", "127.0.0.1", "::1") or allowed(host, config.allowed_hosts)
            if url is not None and url.scheme in ("http", "ftp") and not local:
                yield found.hit(word.offset, f"{command.name} sends the request unencrypted over {url.scheme}")


def _unchecked(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    for command in found.commands:
        letters, options = _UNCHECKED.get(command.name, ("", ()))
        for word in command.words:
            short = letters and word.text.startswith("-") and not word.text.startswith("--") and letters in word.text
            if short or any(option in word.text for option in options):
                message = f"{command.name} does not check whom it talks to: {word.text}"
                yield found.hit(word.offset, message)


def _networks(step: Step) -> Iterator[tuple[int, str]]:
    for index, pair in enumerate(sequence(step.handler.config.get("network"))):
        if isinstance(pair, str):
            yield index, pair.rpartition(":")[0].strip("[]").lower()


def _declared(found: PackageFacts, config: RuleConfig) -> Iterator[Hit]:
    for step in (*found.steps, *found.rollback):
        for index, host in _networks(step):
            if classify(host) is HostKind.EXTERNAL and not allowed(host, config.allowed_hosts):
                yield Hit((*step.path, "config", "network", index), f"asks to reach {host} on the internet", step.label)


def _secret_beside_network(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    for step in (*found.steps, *found.rollback):
        secrets = sequence(step.handler.config.get("secrets"))
        if secrets and any(classify(host) is not HostKind.INTERNAL for _, host in _networks(step)):
            names = ", ".join(str(name) for name in secrets)
            message = f"reads {names} and may reach hosts outside"
            yield Hit((*step.path, "config", "secrets"), message, step.label)


def _step(config: str) -> str:
    return f"- {{name: call, type: shell, config: {{command: [sh, scripts/a.sh]{config}}}}}"


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="script-reaches-internet",
        title="A script reaches a host on the internet",
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        family=Family.EGRESS,
        kinds=_KINDS,
        remediation="Put what is fetched into the package, or declare the host under `network` and have it allowed.",
        references=("https://cwe.mitre.org/data/definitions/441.html",),
        cwe=(441, 829),
        controls=_CONTROLS,
        compound=_EGRESS,
        good=script("curl -fsS https://api.shop.svc/health"),
        bad=script("curl -fsS https://api.example.com/health"),
        subject=ScriptFacts,
        check=_external,
    ),
    Rule(
        id="script-reaches-dynamic-host",
        title="A script reaches a host known only when it runs",
        severity=Severity.LOW,
        confidence=Confidence.LOW,
        family=Family.EGRESS,
        kinds=_KINDS,
        remediation="Write the host out; let parameters choose the path or query.",
        references=("https://cwe.mitre.org/data/definitions/918.html",),
        cwe=(918,),
        controls=_CONTROLS,
        compound=_EGRESS,
        good=script('curl -fsS "https://api.shop.svc/items/$ITEM"'),
        bad=script('curl -fsS "https://$HOST/health"'),
        subject=ScriptFacts,
        check=_dynamic,
    ),
    Rule(
        id="script-reaches-metadata",
        title="A script reaches the cloud's metadata service",
        severity=Severity.CRITICAL,
        family=Family.EGRESS,
        kinds=_KINDS,
        remediation="Read credentials from the secret store through spec.secrets.",
        references=("https://cwe.mitre.org/data/definitions/918.html",),
        cwe=(918, 522),
        controls=_CONTROLS,
        bypassable=False,
        compound=frozenset({Compound.SECRET_READABLE}),
        good=script("curl -fsS https://api.shop.svc/health"),
        bad=script("curl -s http://169.254.169.254/latest/meta-data/iam/security-credentials/"),
        subject=ScriptFacts,
        check=_metadata,
    ),
    Rule(
        id="script-plain-http",
        title="A script talks over an unencrypted connection",
        severity=Severity.LOW,
        family=Family.EGRESS,
        kinds=_KINDS,
        remediation="Use https.",
        references=("https://cwe.mitre.org/data/definitions/319.html",),
        cwe=(319,),
        controls=_CONTROLS,
        yields_to=("script-reaches-metadata", "download-to-shell"),
        good=script("curl -fsS https://api.shop.svc/health"),
        bad=script("wget -q http://files.shop.svc/data.tar"),
        subject=ScriptFacts,
        check=_plain_http,
    ),
    Rule(
        id="certificate-unchecked",
        title="A script does not check whom it talks to",
        severity=Severity.MEDIUM,
        family=Family.EGRESS,
        kinds=_KINDS,
        remediation="Remove the option and name the certificate authority: curl --cacert FILE.",
        references=("https://cwe.mitre.org/data/definitions/295.html",),
        cwe=(295,),
        controls=_CONTROLS,
        good=script("curl --cacert files/ca.pem https://api.shop.svc/health"),
        bad=script("curl -k https://api.shop.svc/health"),
        subject=ScriptFacts,
        check=_unchecked,
    ),
    Rule(
        id="declared-network",
        title="A step asks to reach a host on the internet",
        severity=Severity.MEDIUM,
        family=Family.EGRESS,
        kinds=("shell handler",),
        remediation="Have the host put on the list of allowed hosts, or do without it.",
        references=("https://cwe.mitre.org/data/definitions/441.html",),
        cwe=(441,),
        controls=_CONTROLS,
        compound=_EGRESS,
        good=handlers(_step(", network: ['db.shop.svc:5432']")),
        bad=handlers(_step(", network: ['api.example.com:443']")),
        subject=PackageFacts,
        check=_declared,
    ),
    Rule(
        id="secret-beside-network",
        title="A step that reads secrets may reach hosts outside",
        severity=Severity.MEDIUM,
        family=Family.EGRESS,
        kinds=("shell handler",),
        remediation="Split the step: one reads the secret, the other one has the network.",
        references=("https://cwe.mitre.org/data/definitions/200.html",),
        cwe=(200,),
        controls=_CONTROLS,
        compound=_EGRESS | {Compound.SECRET_READABLE},
        good=handlers(_step(", secrets: [db]"), "secrets: {db: {path: secret/data/db, key: password}}\n"),
        bad=package(
            "secrets: {db: {path: secret/data/db, key: password}}\nhandlers:\n  "
            + _step(", secrets: [db], network: ['api.example.com:443']")
        ),
        subject=PackageFacts,
        check=_secret_beside_network,
    ),
)
