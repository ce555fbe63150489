"""The codes of a step attempt, RUN650 to RUN699; those of a run are in `runs/codes.py`."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

_LOG = "atomctl logs RUN --step STEP    # what the step itself said"

NO_ISOLATION = Code(
    "RUN650",
    "this worker cannot isolate shell steps and is told to refuse them then",
    "Shell steps run in a sandbox of their own, and here it cannot be built. Nothing was started.",
    "apt-get install bubblewrap    # then restart the worker; `atomctl doctor` shows what else is missing",
    ExitCode.SERVICE,
    503,
)
BAD_CONFIG = Code(
    "RUN651",
    "a step's configuration cannot be executed",
    "The handler's `config` or `env` asks for something that does not exist or is reserved. Nothing was started.",
    "correct the handler in wpk.yaml, then validate, pack, sign and push a new version",
)
UNREACHABLE_FOLDER = Code(
    "RUN652",
    "the step's user cannot reach the package",
    "Without a sandbox a step runs as an unprivileged user, and a folder above the package is closed to it.",
    "apt-get install bubblewrap    # or put ATOM_HOME where every folder above it has the x bit",
    ExitCode.SERVICE,
    503,
)
NOT_STARTED = Code(
    "RUN653",
    "the step's process could not be started",
    "A limit, a mount or the program itself could not be set up. No instruction of the step ran.",
    _LOG,
)
SUPERVISOR_LOST = Code(
    "RUN654",
    "the supervisor of a step ended without a report",
    "It was killed or could not write its report. Every process of the step is gone; what it had done stays done.",
    "look for a full disk or a process that was killed for memory (dmesg), then decide about the step",
)
EXIT_STATUS = Code(
    "RUN655",
    "the step ended with an exit code other than 0",
    "The program ran and said itself that it failed.",
    _LOG,
)
TIMED_OUT = Code(
    "RUN656",
    "the step took longer than its timeout",
    "It was asked to end, given the grace, and killed with everything it had started.",
    "raise `timeout` of the handler, or make the step faster",
)
CANCELLED = Code(
    "RUN657",
    "the step was cancelled",
    "It was asked to end, given the grace, and killed with everything it had started.",
    "atomctl runs rerun RUN --from-step STEP    # to go on from here in a new run",
)
BAD_OUTPUTS = Code(
    "RUN658",
    "the step wrote outputs that cannot be read",
    "$ATOM_OUTPUT takes one JSON object per line, 64 KiB and 100 names in all. The step counts as failed.",
    """write lines such as {"count": 3}: printf '{"count": %d}\\n' "$n" >> "$ATOM_OUTPUT\"""",
)
OUT_OF_MEMORY = Code(
    "RUN659",
    "the step was killed at its memory limit",
    "Its processes together reached the limit and the kernel ended one of them.",
    "raise spec.runtime.requirements.memory, or make the step smaller",
)
NO_KUBERNETES = Code(
    "RUN660",
    "this installation has no Kubernetes connection configured",
    "The package has `k8s` handlers, and no cluster was named to carry them out on. Nothing of the run was started.",
    "KUBECONFIG=FILE atomctl up    # or ATOM_KUBERNETES=in-cluster; see docs/how-to/kubernetes.md",
    ExitCode.SERVICE,
    501,
)
NOT_A_STEP = Code(
    "RUN661",
    "a handler of this type is not executed as a step",
    "`approval` and `package` handlers are decided by the run itself, never by a step executor.",
    "report this: the run handed its own work to a step",
    status=500,
)
NO_CONTAINERS = Code(
    "RUN662",
    "this installation cannot run shell steps in containers",
    "`runtime.type` is `docker` or `k8s`, which runs shell handlers as Kubernetes Jobs; no cluster is configured.",
    "KUBECONFIG=FILE atomctl up    # see docs/how-to/kubernetes-jobs.md; or set spec.runtime.type: shell",
    ExitCode.SERVICE,
    501,
)
SHORT_SECRET = Code(
    "RUN663",
    "a secret is too short to be masked",
    "Shorter than 6 characters, it would appear in ordinary text by chance and masking it would tell where it is.",
    "store a longer secret; what short value is not secret can be a parameter",
)
ALREADY_ATTEMPTED = Code(
    "RUN664",
    "this attempt was started before",
    "An attempt id is used once: its folder exists on this worker. Nothing was started.",
    "start a new attempt, or read the recorded result of this one",
    ExitCode.CONFLICT,
    409,
)
FORBIDDEN_ADDRESS = Code(
    "RUN670",
    "the address is not one that steps may reach",
    "Private, local, link-local, metadata and multicast addresses are refused unless the worker allows them by name. "
    "No connection was made.",
    "add host:port or the network to ATOM_STEP_ALLOW of the worker, if the package is meant to reach it",
    ExitCode.DENIED,
    403,
)
NAME_NOT_FOUND = Code(
    "RUN671",
    "a host name could not be resolved",
    "The resolver gave no address in time. No connection was made.",
    "check the name and the worker's resolver: getent ahosts HOST",
    ExitCode.SERVICE,
    502,
    retryable=True,
)
NO_ANSWER = Code(
    "RUN672",
    "the server did not answer properly",
    "The connection failed, was dropped, or what came was not HTTP.",
    "try the same request from the worker's machine with curl -v",
    ExitCode.SERVICE,
    502,
    retryable=True,
)
TOO_LARGE = Code(
    "RUN673",
    "the response is larger than the step accepts",
    "Reading stopped at the limit; nothing of the response became an output.",
    "ask for less, or raise config.max_bytes (at most 64 MiB)",
)
UNEXPECTED_RESPONSE = Code(
    "RUN674",
    "the response is not the one that means success",
    "Its status is not in `success.status`, or `success.when` is false or cannot be evaluated for it.",
    _LOG,
)
REDIRECTED = Code(
    "RUN675",
    "the server redirects, and the step may not follow",
    "Redirects are off by default, at most 5, and never lead from https to http.",
    "use the final URL, or set config.follow_redirects: true",
)
PLAIN_HTTP = Code(
    "RUN676",
    "the request would go over plain http",
    "Without TLS anybody on the way reads and changes it. No connection was made.",
    "use https, or add host:port to ATOM_STEP_ALLOW of the worker",
    ExitCode.DENIED,
    403,
)
BAD_ALLOWANCE = Code(
    "RUN677",
    "the worker's list of allowed addresses cannot be read",
    "Each entry of ATOM_STEP_ALLOW is a network, an address or host:port. The worker does not start.",
    "ATOM_STEP_ALLOW=10.20.0.0/16,prometheus.internal:9090",
    ExitCode.USAGE,
)
DRIFT = Code(
    "RUN681",
    "the object is not what was approved any more",
    "The change was approved for the state that its preview was made from, and somebody changed the object since. "
    "Nothing was changed.",
    "atomctl runs rerun RUN    # a new preview of the object as it is now, and a new approval of it",
    ExitCode.CONFLICT,
    409,
)
CHANGED_SINCE = Code(
    "RUN682",
    "somebody else has changed since what was to be undone",
    "An undo puts back what its step changed, and never writes over a later change of the same place. Nothing was "
    "changed.",
    "look at both changes and decide: kubectl get KIND NAME -n NAMESPACE -o yaml --show-managed-fields",
    ExitCode.CONFLICT,
    409,
)
NOT_KEPT = Code(
    "RUN683",
    "what was there before is not on record",
    "The content of a Secret is never kept, so that `undo` cannot put it back. Nothing was changed.",
    "let the compensation write the old value from the secret store, as the rotate-secret starter does",
)
NO_REVISION = Code(
    "RUN684",
    "the workload has no such revision",
    "Its controller keeps `revisionHistoryLimit` revisions, and there is no earlier one. Nothing was changed.",
    "kubectl rollout history KIND NAME -n NAMESPACE",
)
CODES = (
    NO_ISOLATION,
    BAD_CONFIG,
    UNREACHABLE_FOLDER,
    NOT_STARTED,
    SUPERVISOR_LOST,
    EXIT_STATUS,
    TIMED_OUT,
    CANCELLED,
    BAD_OUTPUTS,
    OUT_OF_MEMORY,
    NO_KUBERNETES,
    NOT_A_STEP,
    NO_CONTAINERS,
    SHORT_SECRET,
    ALREADY_ATTEMPTED,
    FORBIDDEN_ADDRESS,
    NAME_NOT_FOUND,
    NO_ANSWER,
    TOO_LARGE,
    UNEXPECTED_RESPONSE,
    REDIRECTED,
    PLAIN_HTTP,
    BAD_ALLOWANCE,
    DRIFT,
    CHANGED_SINCE,
    NOT_KEPT,
    NO_REVISION,
)
