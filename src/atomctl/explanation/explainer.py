"""Explains runs with what is known of others: past failures like this one, and the pages of runbooks.

What is recorded of the run is read in one transaction. Then the model is asked, while none is open and only if there is
something to compare with, and a second transaction looks for its like. Nothing is written: what is not in the index is
said to be missing and not gathered on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from uuid import UUID

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.db.session import Connection
from atomctl.explanation.model import Explanation, Passage, SimilarFailure, SimilarFailures
from atomctl.explanation.passages import is_about, quoted
from atomctl.explanation.service import explain_run
from atomctl.explanation.visible import visible
from atomctl.knowledge import past_runs
from atomctl.knowledge import service as knowledge
from atomctl.knowledge.judging import CITED, judge
from atomctl.knowledge.meaning import Meaning, text_of
from atomctl.knowledge.model import RUNS, Shelf
from atomctl.knowledge.retrieval import Query, prepare, search
from atomctl.knowledge.service import LONGEST_QUESTION, SimilarRun
from atomctl.objects.model import ObjectStore

_MOST = 3
"""Past failures that are shown."""
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Explainer:
    """Acts for one person in their tenant.

    Args:
        actor: who asks; their roles decide.
        transaction: opens one of the actor's tenant.
        meaning: the model of this process.
        objects: where logs and packages lie.
    """

    actor: Actor
    transaction: Callable[[], AbstractContextManager[Connection]]
    meaning: Meaning
    objects: ObjectStore

    def explain(self, run_id: UUID) -> Explanation:
        """What happened to the run, or what it waits for.

        Raises:
            AtomError: AUT020 the actor may not read runs, signals and knowledge, RUN601 no such run.
        """
        with self.transaction() as conn:
            found = explain_run(conn, self.objects, self.actor, run_id)
            if not found.failing:
                return found
            held = knowledge.status(conn, self.actor, None, None).collections
            page = past_runs.page_of(conn, self.objects, self.actor.tenant_id, run_id, found.run.package_digest)
        runs, pages = (any((each.name == RUNS) is of_runs for each in held) for of_runs in (True, False))
        failure = prepare(Shelf.RUN, text_of(page.chunks[0]), self.meaning) if runs else None
        question = prepare(Shelf.PAGE, _question(found), self.meaning) if pages and found.runbook is None else None
        with self.transaction() as conn:
            return replace(
                found,
                similar=_similar(conn, self.actor, run_id, failure) if failure else SimilarFailures(synced=False),
                runbook=_page(conn, self.actor, question, found) if question else found.runbook,
            )


def _similar(conn: Connection, actor: Actor, run_id: UUID, failure: Query) -> SimilarFailures:
    found, lacking = knowledge.similar(conn, actor, run_id, failure, _MOST)
    return SimilarFailures(True, tuple(map(_failure, found)), str(lacking) if lacking else None)


def _failure(similar: SimilarRun) -> SimilarFailure:
    ending = similar.ending
    return SimilarFailure(
        run_id=similar.run_id,
        workflow=similar.workflow,
        version=similar.version,
        state=similar.state,
        ended_at=similar.ended_at,
        step=similar.step,
        cosine=similar.passage.cosine,
        coverage=similar.passage.coverage,
        fix=ending.fix,
        fixed_by=ending.run_id,
        said=visible(ending.said, _LONGEST) if ending.said else None,
        differences=ending.differences,
    )


def _question(found: Explanation) -> str:
    """What somebody would look up: the step, what is known of its failure, and the last thing it said."""
    step = found.failing[0]
    known = [f"What to do when step {step.name} of {found.run.workflow} fails"]
    if step.problem:
        known += [step.problem.code or "", step.problem.why]
    return "\n".join(filter(None, [*known, *step.log.lines[-1:]]))[:LONGEST_QUESTION]


def _page(conn: Connection, actor: Actor, question: Query, found: Explanation) -> Passage | None:
    """The passage of a synced page that answers best and names what failed; None, too, if no page was synced.

    What a failure says may name things that no page does, such as ids: unlike in a question, that rules nothing out.
    """
    require(actor, Verb.READ, Resource.KNOWLEDGE)
    nearest = replace(search(conn, actor.tenant_id, question, CITED), unknown_names=())
    if not judge(nearest).known:
        return None
    step = found.failing[0]
    code = step.problem.code if step.problem else None
    passages = (quoted(each.citation, each.heading, each.text) for each in nearest.passages)
    about = (each for each in passages if is_about(each, workflow=found.run.workflow, step=step.name, code=code))
    return next(about, None)
