"""`/validate`: what the validator says about a package; nothing is stored."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Response

from atomctl.access.permissions import Resource, Verb, require
from atomctl.policy.assessment import assess
from atomctl.server.acting import CallerOf
from atomctl.server.documents.packages import ValidateBody
from atomctl.server.routes.packages import archive_of
from atomctl.wpk.archive import unpack

router = APIRouter(prefix="/validate", tags=["validate"])


@router.post("", response_class=Response)
def validate(caller: CallerOf, body: ValidateBody) -> Response:
    """The canonical report (`atom.report/v1`), whatever the outcome; the same package and day give the same bytes."""
    require(caller.actor, Verb.VALIDATE, Resource.PACKAGE)
    environment, today = caller.services.settings.environment, datetime.now(UTC).date()
    assessment = assess(unpack(archive_of(body.archive)), environment=environment, today=today)
    return Response(assessment.report, media_type="application/json")
