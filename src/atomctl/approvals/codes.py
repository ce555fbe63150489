"""The codes of stage APR: approvals and votes."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

UNKNOWN = Code(
    "APR501",
    "there is no such approval in this tenant",
    "No approval of this tenant has that id; a foreign tenant's answers the same.",
    "atomctl runs list --state AWAITING_APPROVAL    # shows what waits for a vote",
    ExitCode.NO,
    404,
)
NOT_SECOND_PERSON = Code(
    "APR502",
    "this needs a second person",
    "Who requested it, wrote or signed it, or changed it last cannot vote on it. Only the attempt was recorded.",
    "ask a colleague who is neither the requester nor an author",
    ExitCode.AUTH,
    403,
)
WRONG_ROLE = Code(
    "APR503",
    "none of your roles counts for this approval",
    "The votes still open demand roles that you do not hold.",
    "atomctl auth status    # shows your roles",
    ExitCode.AUTH,
    403,
)
ALREADY_VOTED = Code(
    "APR504",
    "you have voted the other way already",
    "A vote is final. The same vote again is a success and changes nothing; the opposite one is a conflict.",
    "ask the requester to withdraw and request again if your first vote was a mistake",
    ExitCode.CONFLICT,
    409,
)
DECIDED = Code(
    "APR505",
    "this approval is decided already",
    "It was approved, rejected or voided before this vote arrived; the vote was not recorded.",
    "look at the approval's state and, if the subject still matters, request again",
    ExitCode.CONFLICT,
    409,
)
EXPIRED = Code(
    "APR506",
    "this approval has expired",
    "Nobody gave the votes in time. Nothing that waited for it goes on.",
    "request again; the new approval binds to the present digests",
    ExitCode.DENIED,
    409,
)
DIFFERENT = Code(
    "APR507",
    "an open approval of this subject demands something else",
    "One subject has one open approval. The open one binds to other digests or demands other votes.",
    "void the open approval first; a changed subject has another digest",
    ExitCode.CONFLICT,
    409,
)
EMPTY = Code(
    "APR508",
    "an approval must demand at least one vote and give time for it",
    "A requirement without a vote, of more than 32 votes, or without a lifetime between one second and 31 days was "
    "asked for.",
    "state who must vote, and until when",
    ExitCode.USAGE,
)
NOT_REQUESTER = Code(
    "APR509",
    "only the requester can withdraw this",
    "A request is withdrawn by the principal who made it. Somebody else votes to reject it.",
    "atomctl reject APPROVAL --comment ...",
    ExitCode.AUTH,
    403,
)

CODES = (UNKNOWN, NOT_SECOND_PERSON, WRONG_ROLE, ALREADY_VOTED, DECIDED, EXPIRED, DIFFERENT, EMPTY, NOT_REQUESTER)
