"""Signals as documents."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from atomctl.insight.model import Label, Signal
from atomctl.insight.probing import Answer, Comparison, Question
from atomctl.server.documents.base import Body, Document


class CommentBody(Body):
    """What somebody has to say about a signal."""

    comment: str | None = Field(default=None, max_length=2000)


class LabelBody(CommentBody):
    """Feedback: whether the signal was worth looking at."""

    label: Label


class ProbeBody(Body):
    """A question to Prometheus: whether any value of an expression lies beyond a threshold."""

    promql: str = Field(min_length=1, max_length=2000)
    op: Comparison = Comparison.ABOVE
    threshold: float = Field(allow_inf_nan=False)

    def question(self) -> Question:
        """What is asked."""
        return Question(self.promql, self.op, self.threshold)


class SignalDocument(Document):
    """Something that was noticed; `observed` and `baseline` are in the detector's own unit."""

    schema_: Literal["atom.signal/v1"] = Field(default="atom.signal/v1", alias="schema")
    id: UUID
    kind: str
    subject: str
    severity: str
    summary: str
    state: str
    occurrences: int
    detector: str
    detector_version: int
    window_start: datetime
    window_end: datetime
    observed: float
    baseline: float
    score: float
    evidence: list[UUID]
    label: str | None
    labelled_by: UUID | None
    handled_by: UUID | None
    comment: str | None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, signal: Signal) -> Self:
        """The document of a signal."""
        return cls(
            id=signal.id,
            kind=signal.kind.value,
            subject=signal.subject,
            severity=signal.severity.value,
            summary=signal.summary,
            state=signal.state.value,
            occurrences=signal.occurrences,
            detector=signal.detector.name,
            detector_version=signal.detector.version,
            window_start=signal.window[0],
            window_end=signal.window[1],
            observed=signal.observed,
            baseline=signal.baseline,
            score=signal.score,
            evidence=list(signal.evidence),
            label=signal.label.value if signal.label else None,
            labelled_by=signal.labelled_by,
            handled_by=signal.handled_by,
            comment=signal.comment,
            created_at=signal.created_at,
            changed_at=signal.changed_at,
        )


class SignalPage(Document):
    """Some signals, the newest first."""

    schema_: Literal["atom.signal-page/v1"] = Field(default="atom.signal-page/v1", alias="schema")
    items: list[SignalDocument]
    next: str | None


class ProbeDocument(Document):
    """What Prometheus answered: the value farthest beyond, among how many series, and the signal if there is one."""

    schema_: Literal["atom.probe/v1"] = Field(default="atom.probe/v1", alias="schema")
    promql: str
    op: str
    threshold: float
    value: float
    series: int
    exceeded: bool
    signal: SignalDocument | None

    @classmethod
    def of(cls, question: Question, answer: Answer, signal: Signal | None) -> Self:
        """The document of an answer."""
        return cls(
            promql=question.promql,
            op=question.comparison.value,
            threshold=question.threshold,
            value=answer.value,
            series=answer.series,
            exceeded=answer.exceeded,
            signal=SignalDocument.of(signal) if signal else None,
        )
