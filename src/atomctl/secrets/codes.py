"""What secret stores refuse with, SEC001 to SEC029. A message names paths and fields, never a value."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

_LIST = "atomctl secrets list    # what is stored for the tenant"
_WRAP = (
    "bao write -f -wrap-ttl=10m -field=wrapping_token auth/approle/role/ROLE/secret-id    "
    "# hand it over as VAULT_SECRET_ID, restart the worker"
)

NOT_CONFIGURED = Code(
    "SEC001",
    "no secret store is configured",
    "The package names secrets, and this installation was told of no store to read them from. Nothing was started.",
    "ATOM_SECRETS=local atomctl up    # or ATOM_SECRETS=vault with VAULT_ADDR; see docs/how-to/vault.md",
    ExitCode.NO,
    422,
)
BAD_PATH = Code(
    "SEC002",
    "not the path of a secret",
    "A path is 1 to 16 parts of letters, digits, dot, dash and underscore, joined by slashes, none of which begins "
    "with a dot or a dash, with at most 512 characters in all. Nothing was read.",
    "write the path below the tenant's prefix, such as db/main",
    ExitCode.USAGE,
    422,
)
FOREIGN_PATH = Code(
    "SEC003",
    "the path is not the tenant's",
    "A path lies below MOUNT/TENANT/, where TENANT is the id of the tenant that reads it. Nothing was read.",
    "write the path below the tenant's prefix, such as db/main: the prefix is put in front of it",
    ExitCode.DENIED,
    403,
)
NOT_LISTED = Code(
    "SEC004",
    "the package does not list this secret",
    "A run reads those secrets alone that its package declares under spec.secrets. Nothing was read.",
    "declare the secret under spec.secrets, then pack, sign and push a new version",
    ExitCode.DENIED,
    403,
)
NOT_FOUND = Code(
    "SEC005",
    "nothing is stored at this path",
    "No version was written there, or the one asked for was deleted.",
    _LIST,
    ExitCode.NO,
    404,
)
NO_FIELD = Code(
    "SEC006",
    "the secret has no such field",
    "The path exists, and its current version has other fields. No step was started with part of its secrets.",
    "atomctl secrets put PATH FIELD=-    # adds the field, its value read from standard input",
    ExitCode.NO,
    422,
)
CONFLICT = Code(
    "SEC007",
    "somebody else wrote this secret meanwhile",
    "A write says which version it follows (check-and-set), and that is not the newest one any more. Nothing was "
    "written.",
    "atomctl secrets versions PATH    # then write again",
    ExitCode.CONFLICT,
    409,
)
BAD_VALUE = Code(
    "SEC008",
    "this cannot be stored as a secret",
    "A secret has 1 to 64 fields, named as manifests name them, whose values are text without zero bytes, together at "
    "most 256 KiB. Nothing was written.",
    "store large or binary data elsewhere, and the key to it here",
    ExitCode.USAGE,
    422,
)
IN_ARGUMENTS = Code(
    "SEC009",
    "a value was given as an argument",
    "Arguments are seen by every process of the machine and kept in the shell's history. Nothing was written; treat "
    "the value as known to others.",
    "atomctl secrets put PATH FIELD=- < file    # or --from-file FIELD=FILE",
    ExitCode.USAGE,
)
DOWN = Code(
    "SEC010",
    "the secret store does not answer",
    "No connection could be made, or it broke. What was read less than five minutes ago is still served to steps; "
    "after that they fail.",
    "check VAULT_ADDR and the network from the worker's machine: curl $VAULT_ADDR/v1/sys/health",
    ExitCode.SERVICE,
    503,
    retryable=True,
)
SLOW = Code(
    "SEC011",
    "the secret store answers too slowly",
    "A connection was made, and no complete answer came in time.",
    "look at the load of the store and of what is between it and the worker",
    ExitCode.SERVICE,
    504,
    retryable=True,
)
SEALED = Code(
    "SEC012",
    "the secret store is sealed",
    "It holds no key to its own data until somebody unseals it. Because a seal can be somebody's decision, nothing is "
    "served from memory either.",
    "bao operator unseal",
    ExitCode.SERVICE,
    503,
    retryable=True,
)
DENIED = Code(
    "SEC013",
    "the secret store refuses",
    "The login stands, and the store's policy does not allow this path or operation.",
    "bao policy read POLICY    # it must allow MOUNT/data/TENANT/*; see docs/how-to/vault.md",
    ExitCode.DENIED,
    403,
)
EXPIRED = Code(
    "SEC014",
    "the login at the secret store has expired",
    "The token is revoked or ran out, and no new login was possible with what this process was given.",
    f"{_WRAP}; or a new VAULT_TOKEN: bao login",
    ExitCode.AUTH,
    503,
)
WRAPPED_USED = Code(
    "SEC015",
    "the wrapped secret id was used before, or is too old",
    "A wrapping token can be opened once. If this process did not open it, somebody else has the secret id: destroy "
    "it.",
    _WRAP,
    ExitCode.AUTH,
    503,
)
WRAPPED_OTHER = Code(
    "SEC016",
    "the wrapping token holds something else than a secret id",
    "It was not made by the role's secret-id endpoint: it may have been exchanged on the way. It was not opened.",
    _WRAP,
    ExitCode.AUTH,
    503,
)
LOGIN_REFUSED = Code(
    "SEC017",
    "the secret store refuses the login",
    "Role id and secret id do not belong together, the secret id was used up, or the role does not allow this machine.",
    _WRAP,
    ExitCode.AUTH,
    503,
)
NONSENSE = Code(
    "SEC018",
    "what answers is not a secret store",
    "The answer was not the JSON that Vault's API gives: a proxy's page, a redirect, another server, or more than "
    "2 MiB.",
    "curl -i $VAULT_ADDR/v1/sys/health    # a Vault or OpenBao answers with JSON",
    ExitCode.SERVICE,
    502,
)
SERVER_ERROR = Code(
    "SEC019",
    "the secret store failed",
    "It answered that something went wrong inside it, or in front of it.",
    "look at the store's own log",
    ExitCode.SERVICE,
    502,
    retryable=True,
)
BAD_SETTINGS = Code(
    "SEC020",
    "the settings of the secret store cannot be used",
    "The address, the login or the mount is missing or of the wrong form. Nothing was sent.",
    "atomctl doctor    # shows every setting and where it came from; see docs/how-to/vault.md",
    ExitCode.USAGE,
    500,
)
BAD_KEY_FILE = Code(
    "SEC021",
    "the key file of the local store cannot be used",
    "It is missing beside stored secrets, not a key, or can be read by others than its owner. A new key is never made "
    "over secrets that the old one opens.",
    "chmod 600 $ATOM_HOME/keys/secrets.key    # or restore it from where you keep it",
    ExitCode.SERVICE,
    500,
)
DAMAGED = Code(
    "SEC022",
    "a stored secret is not what was written",
    "It does not open with the store's key for its tenant, path and version: changed, moved, or sealed with another "
    "key.",
    "restore $ATOM_HOME/secrets and keys/secrets.key from the same backup, or write the secret again",
    ExitCode.TAMPERED,
    500,
)
UNWRITABLE = Code(
    "SEC023",
    "the local store's folder cannot be used",
    "It is full, not permitted or failing. Nothing was half-written.",
    "check owner, mode and free space of $ATOM_HOME/secrets",
    ExitCode.SERVICE,
    503,
    retryable=True,
)
NO_TENANT = Code(
    "SEC024",
    "it is not known whose secrets these are",
    "Secrets belong to a tenant, and no instance was started in this home from which to take its id.",
    "atomctl secrets --tenant ID ...    # or start the instance once: atomctl up",
    ExitCode.USAGE,
)

CODES = (
    NOT_CONFIGURED,
    BAD_PATH,
    FOREIGN_PATH,
    NOT_LISTED,
    NOT_FOUND,
    NO_FIELD,
    CONFLICT,
    BAD_VALUE,
    IN_ARGUMENTS,
    DOWN,
    SLOW,
    SEALED,
    DENIED,
    EXPIRED,
    WRAPPED_USED,
    WRAPPED_OTHER,
    LOGIN_REFUSED,
    NONSENSE,
    SERVER_ERROR,
    BAD_SETTINGS,
    BAD_KEY_FILE,
    DAMAGED,
    UNWRITABLE,
    NO_TENANT,
)
