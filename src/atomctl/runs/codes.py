"""What runs refuse with, RUN60x-RUN64x; the codes of single steps, RUN65x and up, are in `steps/codes.py`."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

NOT_FOUND = Code(
    "RUN601",
    "there is no such run",
    "No run with this id exists in your tenant. A run of another tenant answers the same.",
    "atomctl runs list",
    ExitCode.NO,
    404,
)
STATE = Code(
    "RUN602",
    "the run's state does not allow this",
    "The run has moved on, or has not got there yet. Nothing was changed.",
    "atomctl status RUN    # shows the state and what can be done from it",
    ExitCode.CONFLICT,
    409,
)
PACKAGE_NOT_RUNNABLE = Code(
    "RUN603",
    "the package may not run any more",
    "It was yanked, its signature or a key behind it was revoked, or its bytes are not what was published. "
    "The run was stopped before its next step.",
    "atomctl packages show NAME@VERSION",
    ExitCode.DENIED,
    409,
)
BLOCKED = Code(
    "RUN604",
    "the decision for this run is block",
    "The risk, a rule or a policy forbids it. The run is kept in state BLOCKED with the reasons.",
    "atomctl runs show RUN    # lists the reasons; an override needs two votes",
    ExitCode.DENIED,
    403,
)
DRY_RUN_REQUIRED = Code(
    "RUN605",
    "a dry run with the same digests must come first",
    "The package sets dry_run_required: a successful plan of the same package and parameters must be at most "
    "24 hours old.",
    "atomctl run NAME@VERSION --dry-run",
    ExitCode.DENIED,
    409,
)
STEP_NOT_RUNNABLE = Code(
    "RUN606",
    "a step cannot be executed by this installation",
    "The plan names the step and says what is missing. No step of the run was started.",
    "atomctl run NAME@VERSION --dry-run    # shows what each step needs",
    ExitCode.NO,
    422,
)
PLAN_CHANGED = Code(
    "RUN607",
    "the plan is not the one that was approved",
    "The plan computed now differs from the approved one in its digest. The run was stopped before its next step.",
    "request the run again, so that the plan of today is what is approved",
    ExitCode.DENIED,
    409,
)
CYCLE = Code(
    "RUN608",
    "the handlers need each other in a circle",
    "No order of the handlers satisfies every `needs`.",
    "remove one of the `needs` named above",
    ExitCode.NO,
    422,
)
CONDITION = Code(
    "RUN609",
    "a condition or template of a step failed",
    "`when` or a `${{ }}` value could not be evaluated with the parameters and outputs at hand. The step did not "
    "start.",
    "atomctl validate FOLDER    # checks expressions; then look at the outputs of the steps it reads",
    ExitCode.NO,
    422,
)
NOT_A_CHOICE = Code(
    "RUN610",
    "this is not what the run is asking",
    "Only a step whose outcome is unknown takes an answer, and only for itself.",
    "atomctl status RUN    # names the step that waits",
    ExitCode.USAGE,
    409,
)
ENGINE = Code(
    "RUN612",
    "the run engine cannot be reached",
    "The engine's tables could not be read or written. Runs wait; none is lost.",
    "atomctl doctor",
    ExitCode.SERVICE,
    503,
    retryable=True,
)
UNKNOWN_OUTCOME = Code(
    "RUN613",
    "nobody knows whether the step took effect",
    "The worker ended while the step ran, and the step does not say that it may be repeated. The run waits for a "
    "person.",
    "atomctl runs resolve RUN STEP --as done|again|roll-back",
    ExitCode.PENDING,
    409,
)
STEP_NOT_FOUND = Code(
    "RUN614",
    "the run has no such step",
    "The step's name is not in the run's plan.",
    "atomctl status RUN",
    ExitCode.NO,
    404,
)
LOG_POSITION = Code(
    "RUN615",
    "a log position cannot be read",
    "Positions are `attempt:offset` as a former answer gave them; made-up ones are refused.",
    "atomctl logs RUN    # from the beginning",
    ExitCode.USAGE,
    400,
)
LOG_DAMAGED = Code(
    "RUN616",
    "a stored log chunk is not what was written",
    "Its digest differs from the one in the index, or it is missing from the object store.",
    "restore the object store from a backup; the run's record itself is not affected",
    ExitCode.TAMPERED,
    500,
)
REPEATED_REQUEST = Code(
    "RUN617",
    "the idempotency key was used for another request",
    "The same key came with another package or other parameters. No run was created.",
    "use a new Idempotency-Key",
    ExitCode.CONFLICT,
    422,
)
ENGINE_GAVE_UP = Code(
    "RUN618",
    "the run was stopped after repeated internal failures",
    "The engine lost several segments of this run, one after another. Every finished step is recorded, and none of "
    "them is repeated.",
    "look for `segment.failed` in the worker's log, then: atomctl runs resume RUN",
    ExitCode.SERVICE,
    500,
)

CODES = (
    NOT_FOUND,
    STATE,
    PACKAGE_NOT_RUNNABLE,
    BLOCKED,
    DRY_RUN_REQUIRED,
    STEP_NOT_RUNNABLE,
    PLAN_CHANGED,
    CYCLE,
    CONDITION,
    NOT_A_CHOICE,
    ENGINE,
    UNKNOWN_OUTCOME,
    STEP_NOT_FOUND,
    LOG_POSITION,
    LOG_DAMAGED,
    REPEATED_REQUEST,
    ENGINE_GAVE_UP,
)
