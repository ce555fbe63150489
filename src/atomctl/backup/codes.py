"""What backups refuse or cannot do."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

KEY_MISSING = Code(
    "BAK001",
    "the backup key is missing",
    "Backups are encrypted under the key file `keys/backup.key` of the home. Without it no backup can be read, by"
    " anybody. Nothing was written.",
    "copy keys/backup.key from where you keep it to the file named above",
    ExitCode.USAGE,
)
KEY_UNUSABLE = Code(
    "BAK002",
    "the backup key cannot be used",
    "The key file is readable by others than its owner, cannot be read, or does not hold a key.",
    "chmod 600 the file named above, or copy it again from where you keep it",
    ExitCode.USAGE,
)
WRONG_KEY = Code(
    "BAK003",
    "the backup was made under another key",
    "The set names the key it was encrypted under, and it is not this one. Nothing is wrong with the set.",
    "put the key of that id at keys/backup.key of a home, and name the home with ATOM_HOME",
    ExitCode.NO,
)
CHANGED = Code(
    "BAK004",
    "a backup was changed",
    "Bytes of the set are not the ones that were stored: a digest or an authentication tag does not fit. No changed"
    " byte was used.",
    "restore another set: atomctl backup list; find out who can write to the object store",
    ExitCode.TAMPERED,
)
TRUNCATED = Code(
    "BAK005",
    "a part of a backup is missing",
    "An object that the set's statement names is not there or shorter than it was, or the stream ends early.",
    "restore another set: atomctl backup list",
    ExitCode.TAMPERED,
)
STATEMENT_UNTRUSTED = Code(
    "BAK006",
    "nobody vouches for the backup",
    "The set's statement is not signed by a key of this deployment's audit log, or is not a statement at all.",
    "give the right keys with --vkey FILE, or restore another set: atomctl backup list",
    ExitCode.UNTRUSTED,
)
FILES_DIFFER = Code(
    "BAK007",
    "the files are not those of PostgreSQL's manifest",
    "PostgreSQL lists every file of a base backup with size and SHA-256; a file is missing, new or different.",
    "restore another set: atomctl backup list",
    ExitCode.TAMPERED,
)
NOT_EMPTY = Code(
    "BAK008",
    "the folder is not empty",
    "A restore writes into a new or empty folder only, so that it can never overwrite a database. Nothing was written.",
    "choose another folder with --to",
    ExitCode.CONFLICT,
    status=409,
)
TAKING_FAILED = Code(
    "BAK009",
    "the backup could not be taken",
    "PostgreSQL did not send all of it: it stopped, refused, or the connection broke. No set was listed; the parts"
    " already stored were removed or will be.",
    "look at the server's log, then: atomctl backup create",
    ExitCode.SERVICE,
    status=503,
    retryable=True,
)
NOT_PERMITTED = Code(
    "BAK010",
    "the database does not let the backup role take backups",
    "The role atom_backup needs REPLICATION, BYPASSRLS (it counts all rows) and EXECUTE on pg_create_restore_point,"
    " which only a superuser can give, and pg_hba.conf must allow it to replicate.",
    "atomctl db migrate    # with a superuser in ATOM_DATABASE_URL",
    ExitCode.AUTH,
    status=503,
)
PROGRAMS_MISSING = Code(
    "BAK011",
    "PostgreSQL's programs are missing",
    "Taking a backup needs pg_basebackup and pg_receivewal of the server's version or newer; restoring needs the"
    " server's programs of exactly its version.",
    "apt-get install postgresql-NN with the version named above, or pip install 'atomctl[embedded]' for 16 and 18",
    ExitCode.USAGE,
)
NOT_INCREMENTAL = Code(
    "BAK012",
    "an incremental backup is not possible",
    "It needs PostgreSQL 17 or newer with summarize_wal = on, and an earlier set of the same server and timeline."
    " Nothing was written.",
    "atomctl backup create    # a full one",
    ExitCode.CONFLICT,
    status=409,
)
NO_SET = Code(
    "BAK013",
    "no such backup",
    "The object store holds no complete set of this id, or none at all.",
    "atomctl backup list",
    ExitCode.NO,
    status=404,
)
RESTORE_FAILED = Code(
    "BAK014",
    "the restored database does not start",
    "The files are whole, but PostgreSQL did not recover on them up to the set's marker. The folder was removed.",
    "restore another set: atomctl backup list; report the server's message",
    ExitCode.NO,
)
CONTENT_DIFFERS = Code(
    "BAK015",
    "the restored database is not what was backed up",
    "Row counts or audit roots of the restored database differ from those of the set's signed statement.",
    "restore another set: atomctl backup list; then verify the live log: atomctl audit verify",
    ExitCode.TAMPERED,
)
BUSY = Code(
    "BAK016",
    "another backup is being taken",
    "One backup of a database runs at a time. The running one was not touched.",
    "atomctl backup list    # shows it when it is done",
    ExitCode.CONFLICT,
    status=409,
    retryable=True,
)
NO_ROOM = Code(
    "BAK017",
    "there is no room",
    "The disk is full, or too small for what would be restored to it. Nothing was left half-written.",
    "free some space, choose another folder with --to, or point ATOM_HOME at a larger disk",
    ExitCode.SERVICE,
    status=507,
    retryable=True,
)
WAL_INCOMPLETE = Code(
    "BAK018",
    "the write-ahead log of a backup has a gap",
    "A base backup is of use only with all of the log from its start to its marker; a segment is missing.",
    "atomctl backup create    # another one; restore another set meanwhile",
    ExitCode.NO,
)
TABLESPACES = Code(
    "BAK019",
    "the database uses tablespaces",
    "Backups are one stream of one data directory; a server with tablespaces of its own is not supported.",
    "back it up with pgBackRest, or move the tables to the default tablespace",
    ExitCode.USAGE,
)
NEVER_STILL = Code(
    "BAK020",
    "the database was never still",
    "The marker needs a moment in which no transaction writes; none came within a minute. No set was listed.",
    "look for a transaction that stays open: select * from pg_stat_activity order by xact_start",
    ExitCode.SERVICE,
    status=503,
    retryable=True,
)
CHAIN_BROKEN = Code(
    "BAK021",
    "a set that this one builds on is missing or another",
    "An incremental set needs the sets before it down to a full one, each exactly as its successor names it.",
    "restore another set: atomctl backup list",
    ExitCode.TAMPERED,
)
FOLDER_UNUSABLE = Code(
    "BAK022",
    "the folder cannot be used",
    "It cannot be made, entered or written by the user that runs PostgreSQL. Nothing was left in it.",
    "choose a folder that exists on a local disk and that this user owns",
    ExitCode.USAGE,
)
NOT_RECORDED = Code(
    "BAK023",
    "the backup is stored, but not recorded in the database",
    "The set is complete and can be restored; the database could not note it. The next backup notes it too.",
    "atomctl backup list",
    ExitCode.SERVICE,
    status=503,
    retryable=True,
)
NOT_KEPT = Code(
    "BAK024",
    "the retention cannot be read",
    "Retention is written as hourly, daily, weekly, monthly and yearly counts, such as `daily=7,weekly=5,monthly=12`.",
    "unset ATOM_BACKUP_KEEP for the default",
    ExitCode.USAGE,
)
CODES = (
    KEY_MISSING,
    KEY_UNUSABLE,
    WRONG_KEY,
    CHANGED,
    TRUNCATED,
    STATEMENT_UNTRUSTED,
    FILES_DIFFER,
    NOT_EMPTY,
    TAKING_FAILED,
    NOT_PERMITTED,
    PROGRAMS_MISSING,
    NOT_INCREMENTAL,
    NO_SET,
    RESTORE_FAILED,
    CONTENT_DIFFERS,
    BUSY,
    NO_ROOM,
    WAL_INCOMPLETE,
    TABLESPACES,
    NEVER_STILL,
    CHAIN_BROKEN,
    FOLDER_UNUSABLE,
    NOT_RECORDED,
    NOT_KEPT,
)
