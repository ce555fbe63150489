"""Errors of the command line itself."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

USAGE = Code(
    "CLI001",
    "the command line cannot be understood",
    "An unknown verb or option, a missing argument or a value of the wrong form. Nothing was done.",
    "atomctl --help",
    ExitCode.USAGE,
)
INTERNAL = Code(
    "CLI002",
    "an error inside ATOM",
    "Something happened that the program does not know. What was committed before stays committed.",
    "set ATOM_DEBUG=1 and run it again to see the traceback",
    ExitCode.NO,
    500,
)
UNKNOWN_CODE = Code(
    "CLI003",
    "no such code or rule",
    "Codes look like TRU203, rules like privileged-container.",
    "atomctl explain --list",
    ExitCode.USAGE,
)
NO_CONTEXT = Code(
    "CLI004",
    "no instance to talk to",
    "No context of that name exists and no instance was started in this home.",
    "atomctl up    # or: atomctl context add NAME --api-url URL",
    ExitCode.USAGE,
)
EXISTS = Code(
    "CLI005",
    "the target exists already",
    "Nothing is overwritten unless it is asked for.",
    "choose another name, or remove the one that is there",
    ExitCode.CONFLICT,
)
FILE = Code(
    "CLI006",
    "a file cannot be read or written",
    "The path is missing, not permitted, of the wrong kind, or the disk is full. Nothing was half-written.",
    "check the path and its permissions",
    ExitCode.USAGE,
)
NOT_CONFIRMED = Code(
    "CLI007",
    "not confirmed",
    "The command changes something that cannot be taken back and nobody confirmed it.",
    "add --yes",
    ExitCode.NO,
)
TIMED_OUT = Code(
    "CLI008",
    "still going on when the time was up",
    "Waiting ended; what was waited for goes on.",
    "atomctl status RUN",
    ExitCode.PENDING,
)
NO_MATCH = Code(
    "CLI009",
    "the id names nothing, or more than one",
    "A short id is the end of an id; it must match exactly one of the newest thousand.",
    "atomctl runs list    # or: atomctl approvals",
    ExitCode.USAGE,
    404,
)
RUN_ENDED_BADLY = Code(
    "CLI010",
    "the run did not succeed",
    "The run that was waited for ended in another state than SUCCEEDED; its steps and logs say why.",
    "atomctl runs explain RUN",
    ExitCode.NO,
)
CANNOT_LISTEN = Code(
    "CLI011",
    "the server cannot listen there",
    "The port is taken or the address does not belong to this machine. Nothing was started.",
    "atomctl up --port 0    # takes a free port",
    ExitCode.CONFLICT,
)
PROCESS_DIED = Code(
    "CLI012",
    "a process of the instance ended by itself",
    "The server or the worker could not start, or died too often. The instance was stopped in order; nothing is lost.",
    "read its log, named above, or run: atomctl doctor",
    ExitCode.SERVICE,
)
WOULD_BLOCK = Code(
    "CLI013",
    "the decision is block",
    "Its risk is too high: see the findings above. Nothing of it can run unless two people override the block.",
    "atomctl validate SOURCE    # shows each finding with its line and its fix",
    ExitCode.DENIED,
    403,
)
DEMO_FAILED = Code(
    "CLI014",
    "the demo did not go as it should",
    "A command of the demo ended with another exit code than expected; its output is above.",
    "run atomctl demo --keep and look at the logs in its folder; atomctl doctor shows what is missing",
)
NO_TEMPLATE = Code(
    "CLI015",
    "no such starter",
    "The starters are the packages that come with ATOM.",
    "atomctl init --list",
    ExitCode.USAGE,
)
INCOMPLETE_SECRET = Code(
    "CLI016",
    "the Secret of a deployment is not whole",
    "A Secret of that name exists and lacks some of what a deployment keeps. It was not changed: made anew, its keys "
    "would not be those that the audit log and the database know.",
    "kubectl describe secret NAME    # restore what is missing from where you keep it, or name another Secret",
    ExitCode.CONFLICT,
)
