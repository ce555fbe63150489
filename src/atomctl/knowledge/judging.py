"""Whether what was found answers a question, or only resembles one. Pure.

Two rules, chosen on questions of which some have no answer. What a question names must be named: pages that never
mention a thing do not say how to use it. Otherwise the nearest passage must be near enough, by meaning and by words.
"""

from __future__ import annotations

from dataclasses import dataclass

from atomctl.knowledge.model import Found

CITED = 3
"""Passages that an answer cites at most."""
THRESHOLD = 0.42
"""Of the mean cosine of the nearest chunks plus half the coverage: halfway between the weakest two of the practice
questions that have an answer."""
WORDS_ALONE = 0.5
"""Of the coverage, where there are no vectors."""
_COVERAGE = 0.5


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether it is an answer, why, and how sure that is: `confidence` is 0 to 1, and 0.5 at the threshold."""

    known: bool
    why: str
    confidence: float


def judge(found: Found) -> Judgement:
    """What is to be thought of the best passages as an answer."""
    if not found.passages:
        return Judgement(known=False, why="nothing resembles the question", confidence=0.0)
    if found.unknown_names:
        names = ", ".join(found.unknown_names)
        return Judgement(known=False, why=f"no page mentions {names}", confidence=0.0)
    if found.cosine is None:
        share = found.coverage / (2 * WORDS_ALONE)
        said = f"one passage has {found.coverage:.0%} of the question's words by weight"
    else:
        share = (found.cosine + _COVERAGE * found.coverage) / (2 * THRESHOLD)
        near = f"the nearest passages have cosine {found.cosine:.2f}"
        said = f"{near}, one has {found.coverage:.0%} of the question's words by weight"
    return Judgement(known=share >= 0.5, why=said, confidence=max(0.0, min(1.0, share)))
