"""The codes of stage REG: the registry."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

UNKNOWN_PACKAGE = Code(
    "REG401",
    "there is no such package in this tenant",
    "No package of this tenant has that name and version, or that id; a foreign tenant's answers the same.",
    "atomctl packages list    # shows what was pushed",
    ExitCode.NO,
    404,
)
UNKNOWN_WORKFLOW = Code(
    "REG402",
    "there is no such workflow in this tenant",
    "A workflow comes into being with the first package pushed under its name.",
    "atomctl list    # shows the workflows there are",
    ExitCode.NO,
    404,
)
CONFLICT = Code(
    "REG409",
    "this version exists already, with other bytes",
    "A version is immutable: the same bytes again are a success, other bytes are refused. What is stored stays.",
    "raise metadata.version in wpk.yaml, then pack, sign and push again",
    ExitCode.CONFLICT,
    409,
)
COORDINATES = Code(
    "REG410",
    "the package inside has another name or version",
    "What is pushed as NAME@VERSION must say the same in its own manifest.",
    "push the package under the name and version its wpk.yaml carries",
    ExitCode.TAMPERED,
    422,
)
NO_COORDINATES = Code(
    "REG411",
    "nothing says which name and version this is",
    "The archive cannot be read, no bundle holds a release statement, and none were given.",
    "atomctl validate FILE    # shows why the archive cannot be read",
    ExitCode.NO,
    422,
)
YANKED = Code(
    "REG412",
    "this version was yanked",
    "Its bytes and history stay, and it is never run again.",
    "atomctl packages show NAME@VERSION    # shows who yanked it and why; run another version",
    ExitCode.DENIED,
    409,
)
SWAPPED = Code(
    "REG413",
    "the stored bytes are not the published ones",
    "The object store returned bytes with another digest than the one that was verified. They were not used.",
    "compare the object store with a backup; somebody or something changed it",
    ExitCode.TAMPERED,
    500,
)
NOT_BLOCKED = Code(
    "REG414",
    "there is nothing to override",
    "Only a package that was decided `block` can be overridden.",
    "atomctl packages show NAME@VERSION    # shows the decision",
    ExitCode.CONFLICT,
    409,
)
NO_REASON = Code(
    "REG415",
    "this needs a written reason",
    "Who reads the audit log later must learn why: between 5 and 2000 characters.",
    'give the reason: --reason "..."',
    ExitCode.USAGE,
    422,
)
UNKNOWN_KEY = Code(
    "REG420",
    "there is no such signing key in this tenant",
    "A key is named by the SHA-256 of its public half.",
    "atomctl trust keys    # lists the registered keys",
    ExitCode.NO,
    404,
)
KEY_EXISTS = Code(
    "REG421",
    "this key is registered already, for somebody else or as ended",
    "A key has one owner for ever, and a retired or revoked key does not come back.",
    "atomctl keys generate    # make a new key",
    ExitCode.CONFLICT,
    409,
)
KEY_ENDED = Code(
    "REG422",
    "this key has ended in another way already",
    "A retired key can still be revoked; a revoked key stays as it is.",
    "atomctl trust keys    # shows its state",
    ExitCode.CONFLICT,
    409,
)
NO_RULES = Code(
    "REG430",
    "this tenant has no trust rules in force",
    "Without rules nothing is trusted and every push is refused.",
    "atomctl trust set rules.json --reason ...",
    ExitCode.NO,
    404,
)
UNKNOWN_SIGNER = Code(
    "REG431",
    "the rules name a key that is not registered",
    "A rule that names an unknown key could never be met; the keys come first.",
    "atomctl keys register KEY.pub    # then propose the rules again",
    ExitCode.NO,
    422,
)

CODES = (
    UNKNOWN_PACKAGE,
    UNKNOWN_WORKFLOW,
    CONFLICT,
    COORDINATES,
    NO_COORDINATES,
    YANKED,
    SWAPPED,
    NOT_BLOCKED,
    NO_REASON,
    UNKNOWN_KEY,
    KEY_EXISTS,
    KEY_ENDED,
    NO_RULES,
    UNKNOWN_SIGNER,
)
