"""Errors of the training-data export."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

NOT_EMPTY = Code(
    "DAT801",
    "the folder holds something else",
    "An export goes into a new or empty folder, or into one where the same export was interrupted. Nothing was "
    "written.",
    "choose another folder with --out",
    ExitCode.CONFLICT,
    409,
)
OTHER_EXPORT = Code(
    "DAT802",
    "the folder holds another export",
    "What is there, finished or interrupted, was begun with other options, another scrubbing or another writer. It "
    "stays as it is.",
    "repeat it with the options it was begun with, or choose another folder with --out",
    ExitCode.CONFLICT,
    409,
)
BUSY = Code(
    "DAT803",
    "another process exports into this folder",
    "Two exports never write to one folder at the same time. This one did nothing.",
    "wait for the other one, or choose another folder with --out",
    ExitCode.CONFLICT,
    409,
)
NO_PARQUET = Code(
    "DAT804",
    "Parquet needs pyarrow",
    "The library pyarrow is not installed here; JSONL needs nothing more. Nothing was written.",
    "pip install 'atomctl[dataset]'    # or: --format jsonl",
    ExitCode.USAGE,
)
UNWRITABLE = Code(
    "DAT805",
    "the folder cannot be written",
    "It is missing, not permitted or full. Finished files stay, none is half-written; the same command goes on there.",
    "make room or choose another folder with --out",
    ExitCode.SERVICE,
    507,
    retryable=True,
)
OTHER_TENANT = Code(
    "DAT806",
    "not your tenant",
    "A token belongs to one tenant and exports that one's data. Whether the tenant named exists is not said.",
    "atomctl --context NAME dataset export ...    # with an identity of that tenant",
    ExitCode.AUTH,
    404,
)
BAD_RANGE = Code(
    "DAT807",
    "no such range of days",
    "The first day must come before the day at which the export ends. Nothing was written.",
    "atomctl dataset export --since 2026-07-01 --until 2026-08-01 --out DIR",
    ExitCode.USAGE,
)
AHEAD = Code(
    "DAT808",
    "the audit log has not come that far",
    "The watermark names an entry that the tenant's log does not have yet. Nothing was written.",
    "leave --watermark out: the export then reaches as far as the log does",
    ExitCode.USAGE,
)
BAD_VECTORS = Code(
    "DAT809",
    "the embedder gave something else than vectors",
    "It must give one vector of its own dimension, of finite numbers and of length 1, for each text. Of the day it was "
    "asked for nothing was written.",
    "atomctl dataset export ...    # without --embeddings",
    ExitCode.SERVICE,
    502,
)
NOT_A_DATASET = Code(
    "DAT810",
    "not a finished export",
    "The manifest, which is written last, is missing or cannot be read as one.",
    "repeat the export with the same options: it goes on where it was interrupted",
    ExitCode.NO,
)
BAD_SIGNATURE = Code(
    "DAT811",
    "the manifest's signature does not hold",
    "None of the keys you trust signed this manifest as it is now.",
    "give the verifier key of the instance it came from: --vkey audit.vkey",
    ExitCode.TAMPERED,
)
CHANGED = Code(
    "DAT812",
    "a file was changed",
    "Its size or digest is not what the signed manifest says.",
    "export again into a new folder; keep this one as evidence",
    ExitCode.TAMPERED,
)
MISSING = Code(
    "DAT813",
    "a file is missing",
    "The signed manifest names a file that is not there.",
    "export again into a new folder, or copy the whole folder once more",
    ExitCode.TAMPERED,
)
EXTRA = Code(
    "DAT814",
    "a file nobody signed for",
    "The folder holds a file that the signed manifest does not name.",
    "remove the file named above",
    ExitCode.TAMPERED,
)
BAD_ROWS = Code(
    "DAT815",
    "the rows are not what the manifest says",
    "A row does not fit its schema, stands twice or in the wrong day, or the rows differ from the manifest's counts or "
    "from each other between the formats.",
    "export again into a new folder; this is an error inside ATOM if the signature holds",
    ExitCode.TAMPERED,
)
SIGNER_UNKNOWN = Code(
    "DAT816",
    "complete in itself, signer unknown",
    "Every file is as the manifest says and the manifest is signed, by a key that nobody vouched for beforehand.",
    "give the verifier key of the instance it came from: --vkey audit.vkey",
    ExitCode.UNTRUSTED,
)
UNTOLD = Code(
    "DAT818",
    "a lineage event was not delivered",
    "The file beside the export could not be written, or the receiver did not take the event within five seconds. The "
    "export itself is not concerned.",
    'curl --fail "$OPENLINEAGE_URL"    # whether the receiver answers',
    ExitCode.SERVICE,
    502,
)
BAD_RECEIVER = Code(
    "DAT819",
    "the receiver of lineage events cannot be used",
    "OPENLINEAGE_URL must be http:// or https:// with a host, without user name, query or fragment; a key is sent by "
    "https:// or to this machine alone. Nothing was written.",
    "export OPENLINEAGE_URL=https://lineage.example",
    ExitCode.USAGE,
)
