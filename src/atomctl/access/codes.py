"""The codes of stage AUT: login and permission."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

_LOGIN = "atomctl auth login"

NO_TOKEN = Code(
    "AUT001",
    "no access token was given",
    "The request names nobody. Nothing was read and nothing was changed.",
    _LOGIN,
    ExitCode.AUTH,
    401,
)
MALFORMED_TOKEN = Code(
    "AUT002",
    "the access token is not a well-formed JWT",
    "The token is longer than 8 KiB, is not three base64url parts of JSON objects, or repeats a key.",
    _LOGIN,
    ExitCode.AUTH,
    401,
)
FORBIDDEN_HEADER = Code(
    "AUT003",
    "the access token's header asks for something that is never granted",
    "Headers that bring their own key or redefine processing (`jwk`, `jku`, `x5c`, `x5u`, `crit`, `b64`, `zip`) are "
    "refused: the keys of an issuer come from the configuration alone.",
    _LOGIN,
    ExitCode.AUTH,
    401,
)
UNKNOWN_ISSUER = Code(
    "AUT004",
    "the access token's issuer is not configured",
    "The claim `iss` names nobody this server was told to believe.",
    _LOGIN,
    ExitCode.AUTH,
    401,
)
WRONG_ALGORITHM = Code(
    "AUT005",
    "the access token is signed with another algorithm than its issuer's",
    "Each issuer has one algorithm. `none` and shared-secret algorithms belong to no issuer.",
    _LOGIN,
    ExitCode.AUTH,
    401,
)
UNKNOWN_KEY = Code(
    "AUT006",
    "the access token names a key that its issuer does not have",
    "The header `kid` must be the identifier of one of the issuer's present keys.",
    _LOGIN,
    ExitCode.AUTH,
    401,
)
BAD_SIGNATURE = Code(
    "AUT007",
    "the access token's signature does not hold",
    "The token was changed after it was issued, or was signed with another key.",
    _LOGIN,
    ExitCode.AUTH,
    401,
)
EXPIRED = Code(
    "AUT008",
    "the access token has expired",
    "The claim `exp` lies in the past.",
    _LOGIN,
    ExitCode.AUTH,
    401,
)
BAD_CLAIM = Code(
    "AUT009",
    "the access token has a claim that is missing or cannot be accepted",
    "`iss`, `aud`, `sub`, `iat` and `exp` are required; `nbf` and `iat` must not lie ahead; the whole lifetime must "
    "not exceed what the issuer may grant.",
    _LOGIN,
    ExitCode.AUTH,
    401,
)
BAD_TENANT = Code(
    "AUT010",
    "the access token does not name exactly one tenant that its issuer may speak for",
    "The tenant claim must be one identifier: not missing, not a list, and of a tenant of this issuer.",
    _LOGIN,
    ExitCode.AUTH,
    401,
)
BAD_ROLES = Code(
    "AUT011",
    "the access token names a role that does not exist",
    "Roles are viewer, author, operator, approver, security, admin and auditor.",
    _LOGIN,
    ExitCode.AUTH,
    401,
)
FORBIDDEN = Code(
    "AUT020",
    "none of your roles allows this",
    "The table of permissions has no entry for this verb, resource and any role you hold. The attempt was recorded.",
    "atomctl auth status    # shows your roles; docs/reference/permissions.md shows what each may do",
    ExitCode.AUTH,
    403,
)
UNSAFE_KEY_FILE = Code(
    "AUT030",
    "the issuer's key file can be read by others or is not a private key",
    "The file must belong to this user, have mode 0600 and hold one Ed25519 private key. Nobody was logged in.",
    "chmod 600 the file named above, or move it away to have a new key made (all tokens become invalid)",
    ExitCode.AUTH,
    500,
)
LIFETIME = Code(
    "AUT031",
    "the lifetime asked for is not allowed",
    "A token lives between one second and what its issuer may grant.",
    "ask for a shorter lifetime",
    ExitCode.USAGE,
)
UNKNOWN_PRINCIPAL = Code(
    "AUT032",
    "there is no such principal in this tenant",
    "A principal comes into being at the first login; a foreign tenant's answers the same.",
    "atomctl auth status    # shows your own",
    ExitCode.NO,
    404,
)

CODES = (
    NO_TOKEN,
    MALFORMED_TOKEN,
    FORBIDDEN_HEADER,
    UNKNOWN_ISSUER,
    WRONG_ALGORITHM,
    UNKNOWN_KEY,
    BAD_SIGNATURE,
    EXPIRED,
    BAD_CLAIM,
    BAD_TENANT,
    BAD_ROLES,
    FORBIDDEN,
    UNSAFE_KEY_FILE,
    LIFETIME,
    UNKNOWN_PRINCIPAL,
)
