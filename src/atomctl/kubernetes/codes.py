"""What a cluster, or the way to it, refuses with: KUB001 to KUB049."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

_PAGE = "docs/how-to/kubernetes.md"

BAD_CONNECTION = Code(
    "KUB001",
    "the settings of the Kubernetes connection cannot be used",
    "The kubeconfig is missing, cannot be read or does not name the context; or no service account is mounted although "
    "the settings say `in-cluster`. Nothing was sent.",
    f"kubectl --kubeconfig FILE config get-contexts    # then set KUBECONFIG and ATOM_KUBE_CONTEXT; see {_PAGE}",
    ExitCode.USAGE,
    503,
)
CREDENTIALS = Code(
    "KUB002",
    "the cluster does not accept the credentials",
    "A token or certificate of the kubeconfig has ended or was never valid there. Nothing was changed.",
    f"kubectl --kubeconfig FILE auth whoami    # renew the kubeconfig in place: it is read again; see {_PAGE}",
    ExitCode.AUTH,
    502,
)
UNREACHABLE = Code(
    "KUB003",
    "the cluster's API server cannot be reached",
    "No connection could be made. What was asked for has not happened.",
    "kubectl --kubeconfig FILE get --raw /readyz    # from the machine of the worker",
    ExitCode.SERVICE,
    502,
    retryable=True,
)
SLOW = Code(
    "KUB004",
    "the cluster's API server did not answer in time",
    "The connection stood and no whole answer came. A change that was asked for may have happened.",
    "kubectl --kubeconfig FILE get --raw /readyz?verbose    # says which part of the API server is slow",
    ExitCode.SERVICE,
    504,
    retryable=True,
)
BUSY = Code(
    "KUB005",
    "the cluster's API server has too much to do",
    "It answered 429 again and again. What was asked for has not happened.",
    "kubectl get --raw /debug/api_priority_and_fairness/dump_priority_levels    # who fills its queues",
    ExitCode.SERVICE,
    503,
    retryable=True,
)
SERVER_ERROR = Code(
    "KUB006",
    "the cluster's API server failed",
    "It answered with a status of 500 or more. A change that was asked for may have happened.",
    "kubectl --kubeconfig FILE get --raw /readyz?verbose    # says which part of the API server is not well",
    ExitCode.SERVICE,
    502,
    retryable=True,
)
BROKEN = Code(
    "KUB007",
    "the answer of the cluster's API server broke off or is none",
    "The connection ended in the middle, or what came is not what an API server says. A change may have happened.",
    "look for a proxy between the worker and the API server that cuts connections or answers itself",
    ExitCode.SERVICE,
    502,
    retryable=True,
)
TOO_LARGE = Code(
    "KUB008",
    "the cluster's answer is larger than is accepted",
    "Reading stopped at 16 MiB; nothing of the answer was used.",
    "ask for one object by its name, or for fewer by a selector",
)
FORBIDDEN = Code(
    "KUB010",
    "the cluster does not permit it",
    "No role that is bound to the account of this installation has the verb on the resource. Nothing was changed.",
    "kubectl auth can-i VERB RESOURCE -n NAMESPACE    # see docs/how-to/kubernetes-permissions.md for the role",
    ExitCode.DENIED,
    403,
)
NOT_FOUND = Code(
    "KUB011",
    "the cluster has no such object",
    "The name or the namespace is another one, or the object is gone. Nothing was changed.",
    "kubectl get KIND -A    # is it there, in which namespace?",
    ExitCode.NO,
    404,
)
NO_KIND = Code(
    "KUB012",
    "the cluster does not know this kind of object",
    "No API group that it serves has the kind, or not in the version that was asked for. Nothing was changed.",
    "kubectl api-resources    # the kinds it has; name the version as `api_version` where several groups have one",
    ExitCode.NO,
    404,
)
CONFLICT = Code(
    "KUB013",
    "somebody else holds what was to be changed",
    "The fields belong to another field manager, which applied them before. Nothing was changed.",
    "kubectl get KIND NAME -n NAMESPACE --show-managed-fields -o yaml    # who holds which field",
    ExitCode.CONFLICT,
    409,
)
EXISTS = Code(
    "KUB014",
    "there is an object of this name already",
    "It was to be created and somebody else made one before. Nothing was changed.",
    "kubectl get KIND NAME -n NAMESPACE -o yaml    # whose is it? then take another name, or remove it",
    ExitCode.CONFLICT,
    409,
)
INVALID = Code(
    "KUB015",
    "the cluster does not accept the object as valid",
    "A field is missing, unknown, of the wrong form or cannot be changed any more. Nothing was changed.",
    "atomctl run WORKFLOW --dry-run    # asks the cluster before anything is changed; then correct wpk.yaml",
    ExitCode.NO,
    422,
)
ADMISSION = Code(
    "KUB016",
    "an admission rule of the cluster refuses it",
    "Pod Security, a quota, a policy or a webhook said no, for the reason given. Nothing was changed.",
    "change the object so that the rule holds, or ask those who keep the rule",
    ExitCode.DENIED,
    403,
)
EXPIRED = Code(
    "KUB017",
    "the cluster has forgotten the state that was asked about",
    "A list or a watch began too long ago to be gone on with. Asked anew, it works.",
    "run it again",
    ExitCode.SERVICE,
    503,
    retryable=True,
)
OUTDATED = Code(
    "KUB018",
    "the object is written so often that no change of it gets through",
    "Between reading and writing, somebody else wrote it, several times in a row. Nothing was changed.",
    "kubectl get KIND NAME -n NAMESPACE -w --show-managed-fields -o yaml    # who keeps writing it",
    ExitCode.CONFLICT,
    409,
    retryable=True,
)
ROLLOUT_FAILED = Code(
    "KUB020",
    "the rollout does not get on",
    "The controller gave it up: new Pods did not become available within the progress deadline.",
    "kubectl describe KIND NAME -n NAMESPACE; kubectl get pods -n NAMESPACE    # why are the Pods not ready?",
)
NOT_IN_TIME = Code(
    "KUB021",
    "what was waited for did not come about within the timeout",
    "The object was there and not in the state asked for. Nothing was changed by waiting.",
    "kubectl describe KIND NAME -n NAMESPACE    # or raise `timeout` of the handler",
    ExitCode.PENDING,
    504,
)
JOB_FAILED = Code(
    "KUB022",
    "the Job failed",
    "Its Pods ended with an error, ran out of memory or time, or were evicted; the reason is the cluster's.",
    "atomctl logs RUN --step STEP    # what its Pods said",
)
NOT_STARTING = Code(
    "KUB023",
    "a Pod cannot start",
    "Its image cannot be pulled, or what it refers to is missing. Waiting longer would not help.",
    "kubectl describe pod NAME -n NAMESPACE    # the events at the end say what is missing",
)
NOT_PERMITTED = Code(
    "KUB030",
    "permissions of the cluster are missing",
    "What the package declares and what its handlers do needs more than the account may. The run did not start.",
    "bind a role with them, as in docs/how-to/kubernetes-permissions.md; kubectl auth can-i VERB RESOURCE -n NAMESPACE",
    ExitCode.DENIED,
    403,
)

OUTCOME_UNKNOWN = frozenset({SLOW, SERVER_ERROR, BROKEN})
"""After these a change that was asked for may have happened; after all others it has not."""
