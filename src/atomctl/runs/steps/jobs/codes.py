"""What a shell step that runs as a Kubernetes Job is refused or fails with, RUN690 to RUN699."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

_PAGE = "docs/how-to/kubernetes-jobs.md"

NO_IMAGE = Code(
    "RUN690",
    "no image says what the Job runs in",
    "Neither the package nor the worker names an image. Nothing was started.",
    f"set spec.runtime.image in wpk.yaml, or ATOM_JOB_IMAGE of the worker; see {_PAGE}",
    ExitCode.NO,
    422,
)
UNPINNED_IMAGE = Code(
    "RUN691",
    "the image of the Job is not pinned by a digest",
    "What a tag points to can change between the approval and the run. Nothing was started.",
    "write it as NAME@sha256:DIGEST; for images that exist on the node alone: ATOM_JOB_LOCAL_IMAGES=NAME of the worker",
    ExitCode.DENIED,
    403,
)
TOO_LARGE = Code(
    "RUN692",
    "the package is too large to be handed to a Job",
    "Its files travel in ConfigMaps: 900,000 bytes for one file, 8 MiB for all. Nothing was started.",
    f"put what is large into the image of the Job, or run the steps in the worker's sandbox; see {_PAGE}",
    ExitCode.NO,
    413,
)
POD_LOST = Code(
    "RUN693",
    "the cluster took the step's Pod away",
    "It was deleted, evicted or preempted, or its node went away, before the step ended by itself. What the step had "
    "done stays done.",
    "kubectl get events -n NAMESPACE    # who or what removed the Pod; then decide about the step",
)
OUT_OF_SIGHT = Code(
    "RUN694",
    "nobody could see how the step's Job ended",
    "The cluster could not be asked for longer than the Job is kept. What the step had done stays done.",
    "look at what the step was to do, then: atomctl runs rerun RUN --from-step STEP",
    ExitCode.SERVICE,
    502,
)
NOT_SCHEDULED = Code(
    "RUN695",
    "the Job's Pod could not be made",
    "An admission rule or a quota of the namespace refused the Pod. No instruction of the step ran.",
    "make room in the quota, or adapt spec.runtime.requirements; kubectl describe job NAME -n NAMESPACE",
)
OUTPUT_LIMIT = Code(
    "RUN696",
    "the outputs are larger than a Job can hand back",
    "The outputs of a Job are its termination message, which Kubernetes cuts at 4,096 bytes. The step counts as "
    "failed.",
    "write fewer or shorter outputs, or run the step in the worker's sandbox, which takes 64 KiB",
)
NOT_DELETED = Code(
    "RUN697",
    "the step's Job could not be deleted yet",
    "The run was cancelled while the cluster could not be asked, so that the step may still run. Its Job is deleted as "
    "soon as the cluster answers; its deadline ends it in any case.",
    "kubectl delete job NAME -n NAMESPACE --cascade=foreground    # from where the cluster can be reached",
    ExitCode.SERVICE,
    502,
)

CODES = (
    NO_IMAGE,
    UNPINNED_IMAGE,
    TOO_LARGE,
    POD_LOST,
    OUT_OF_SIGHT,
    NOT_SCHEDULED,
    OUTPUT_LIMIT,
    NOT_DELETED,
)
