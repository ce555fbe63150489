"""Errors of the audit log. The first eight are what a verifier may find; each is a different thing to have happened."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

_INVESTIGATE = "keep the file and the database as they are, and compare with a checkpoint kept elsewhere"


def _broken(id_: str, title: str, meaning: str) -> Code:
    return Code(id_, title, meaning, _INVESTIGATE, ExitCode.AUDIT_BROKEN, 500)


CHANGED = _broken(
    "AUD701",
    "an audit entry was changed",
    "The bytes of an entry no longer give the leaf that the signed checkpoint covers.",
)
MISSING = _broken(
    "AUD702",
    "an audit entry is missing",
    "The indexes of a log have no gaps; one in the middle is not there.",
)
TRUNCATED = _broken(
    "AUD703",
    "the audit log ends too early",
    "There are fewer entries than the signed checkpoint covers: the end was cut off.",
)
REORDERED = _broken(
    "AUD704",
    "audit entries stand in another order",
    "Entries do not stand where the index inside each of them says.",
)
BACKDATED = _broken(
    "AUD705",
    "an audit entry was backdated",
    "An entry is older than the one before it, or its row says another time than its leaf.",
)
DUPLICATED = _broken(
    "AUD706",
    "an audit entry is there twice",
    "Two entries claim the same index.",
)
FORKED = _broken(
    "AUD707",
    "the audit log was forked",
    "Two validly signed checkpoints contradict each other: the log showed different histories.",
)
BAD_SIGNATURE = _broken(
    "AUD708",
    "the checkpoint's signature does not hold",
    "The checkpoint is not signed, its signature is wrong, or it was made by another key than the one expected.",
)
UNANCHORED = Code(
    "AUD709",
    "no checkpoint kept elsewhere was compared",
    "A warning. Whoever holds the log's key and the database could have written another history; only a checkpoint "
    "kept outside both shows that.",
    "set S3_AUDIT_BUCKET, or: atomctl audit verify --checkpoint FILE    # one you stored earlier, elsewhere",
    ExitCode.OK,
    200,
)
SIGNER_UNKNOWN = Code(
    "AUD710",
    "consistent in itself, signer unknown",
    "Everything fits the checkpoint and the key that stand in the file, but nobody said that this key is the right "
    "one: a forger would write a file just like this.",
    "atomctl audit verify FILE --vkey KEYS    # a file of verifier keys, from a source other than the bundle",
    ExitCode.UNTRUSTED,
    200,
)
TOO_LARGE = Code(
    "AUD711",
    "an audit entry is too large",
    "An entry holds at most 65,435 bytes even after its detail was replaced by a digest. The change it describes was "
    "not made.",
    "shorten the reason or the subject",
    ExitCode.USAGE,
    413,
)
NOT_YET = Code(
    "AUD712",
    "the entries are not under a signed checkpoint yet",
    "They are recorded; the sequencer puts them into the log within a second while it runs.",
    "try again in a moment; if it stays, check that a worker runs: atomctl doctor",
    ExitCode.PENDING,
    409,
    retryable=True,
)
NO_ENTRY = Code(
    "AUD713",
    "no such audit entry",
    "The log of this tenant has no entry of that id, index or run.",
    "atomctl audit log",
    ExitCode.NO,
    404,
)
BAD_BUNDLE = Code(
    "AUD714",
    "not an audit bundle",
    "The file is not a readable .atomaudit bundle of a known version. Nothing is said about any log.",
    "atomctl audit export --out FILE.atomaudit",
    ExitCode.USAGE,
)
BAD_KEY = Code(
    "AUD715",
    "an audit key cannot be used",
    "A verifier key is not of the form name+hash+key, or the log's signing key is missing, damaged or readable by "
    "others.",
    "check the key; a private key file must have mode 0600",
    ExitCode.USAGE,
)
HEAD_MOVED = Code(
    "AUD716",
    "the head of the log moved under the sequencer",
    "Another writer changed the head between two statements. The batch was rolled back and nothing was lost.",
    "the sequencer tries again by itself; if it stays, look for a second writer with the sequencer's role",
    ExitCode.CONFLICT,
    409,
    retryable=True,
)
BAD_NOTE = Code(
    "AUD717",
    "not a checkpoint",
    "The text is not a signed note in the C2SP checkpoint format.",
    "give the file as it was written: three lines, an empty line, and at least one signature line",
    ExitCode.USAGE,
)
NOT_LEADING = Code(
    "AUD718",
    "another sequencer leads",
    "One sequencer writes the log at a time; the others stand by and take over when it ends.",
    "nothing to do: the one that leads does the work",
    ExitCode.CONFLICT,
    409,
    retryable=True,
)
BEHIND = Code(
    "AUD719",
    "the database is behind its anchors",
    "The locked bucket holds a later checkpoint than the database: the database was restored, or its end was cut off. "
    "Nothing is anchored until an epoch says so, because going on under the same name would fork the log.",
    "restore with: atomctl backup restore    # which begins a new epoch; else treat it as tampering",
    ExitCode.AUDIT_BROKEN,
    500,
)
CODES = (
    CHANGED,
    MISSING,
    TRUNCATED,
    REORDERED,
    BACKDATED,
    DUPLICATED,
    FORKED,
    BAD_SIGNATURE,
    UNANCHORED,
    SIGNER_UNKNOWN,
    TOO_LARGE,
    NOT_YET,
    NO_ENTRY,
    BAD_BUNDLE,
    BAD_KEY,
    HEAD_MOVED,
    BAD_NOTE,
    NOT_LEADING,
    BEHIND,
)
