"""From a step's request to the design of its Job: everything that can be refused before the cluster is asked."""

from __future__ import annotations

from typing import Final

from atomctl.errors import AtomError
from atomctl.runs import sandbox
from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps import command, environment
from atomctl.runs.steps.jobs import contents, resources
from atomctl.runs.steps.jobs.image import choose
from atomctl.runs.steps.jobs.manifests import JobDesign
from atomctl.runs.steps.jobs.names import AttemptKey
from atomctl.runs.steps.jobs.place import JobPlace
from atomctl.runs.steps.limits import limits_of
from atomctl.runs.steps.model import StepRequest

_ENV_BYTES: Final = 512 * 1024
"""A Job with its environment and arguments has to fit into one request to etcd, 1.5 MiB."""


def key_of(request: StepRequest) -> AttemptKey:
    """Which attempt it is."""
    return AttemptKey(
        tenant_id=request.tenant_id,
        run_id=request.run_id,
        step=request.step_name,
        attempt_id=request.attempt_id,
        probe=request.probe,
    )


def draft(request: StepRequest, place: JobPlace) -> JobDesign:
    """The design of the attempt's objects. Reads the package's folder.

    Raises:
        AtomError: RUN651 a configuration nothing can execute, RUN690, RUN691 the image, RUN692 the package's size.
    """
    key, runtime = key_of(request), request.runtime
    limits = limits_of(runtime.requirements, request.limits)
    argv = command.argv(request.config, request.folder)
    env = environment.build(
        request,
        home=sandbox.HOME,
        output=sandbox.OUTPUT,
        package=sandbox.PACKAGE,
        secrets={name: f"{sandbox.SECRETS}/{name}" for name in request.secrets},
    )
    size = sum(len(text.encode()) for text in (*argv, *env, *env.values()))
    if size > _ENV_BYTES:
        why = f"arguments and environment have {size:,} bytes; a Job holds {_ENV_BYTES:,}"
        raise AtomError(step_codes.BAD_CONFIG, why)
    return JobDesign(
        name=key.job,
        namespace=place.desk.namespace,
        labels=key.labels(network=bool(request.network)),
        image=choose(runtime.image, place.rules.image, place.rules.local_images),
        argv=argv,
        env=env,
        timeout=request.timeout,
        grace=request.limits.grace,
        resources=resources.resources(runtime.requirements, limits),
        scratch_bytes=limits.scratch_bytes,
        portions=contents.portions(contents.read_folder(request.folder)),
        secrets=request.secrets,
        network=request.network,
    )
