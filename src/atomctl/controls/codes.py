"""The codes of stage CTL: the twelve controls and their evidence."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

UNKNOWN = Code(
    "CTL901",
    "there is no such control",
    "Controls are named by number or name. Nothing was checked.",
    "atomctl controls check --help    # lists the names",
    ExitCode.USAGE,
    404,
)
UNEXPECTED_ANSWER = Code(
    "CTL902",
    "a server's answer does not fit what was asked",
    "While a probe was prepared, a server answered with something else than the success that preparation needs. The "
    "control fails, because it could not be shown to hold.",
    "look at the message above and at the server's log",
    ExitCode.NO,
    502,
)
NO_REPORT = Code(
    "CTL903",
    "not a folder of evidence",
    "The folder lacks the signed run or a file that it names, or one of them cannot be read. Nothing is said about any "
    "control.",
    "atomctl controls check --reports DIR    # writes one",
    ExitCode.USAGE,
)
EVIDENCE_CHANGED = Code(
    "CTL904",
    "the evidence was changed",
    "A file of the folder is not what was signed, or a verdict does not follow from what the probes saw.",
    "check again; keep the folder you have for whoever investigates",
    ExitCode.TAMPERED,
)
EVIDENCE_SIGNATURE = Code(
    "CTL905",
    "the evidence is not signed by a key you trust",
    "The signature does not hold, or was made by another key than the audit log's.",
    "give the deployment's verifier key with --vkey FILE",
    ExitCode.UNTRUSTED,
)
TWIN = Code(
    "CTL906",
    "the scratch twin did not start",
    "Probes that destroy something run on an instance of their own, which could not be started. The configured "
    "deployment was not touched.",
    "atomctl doctor    # the twin needs the embedded PostgreSQL",
    ExitCode.SERVICE,
    503,
)
CODES = (UNKNOWN, UNEXPECTED_ANSWER, NO_REPORT, EVIDENCE_CHANGED, EVIDENCE_SIGNATURE, TWIN)
