"""Refusals of keys, trust rules and verification.

TRU10x keys and signing, TRU11x trust rules, TRU20x the bundle, TRU21x its key, TRU22x what was signed, TRU23x what the
rules demand, TRU24x log entries and timestamps, TRU25x how verification is run. Unsigned, untrusted and tampered are
three exit codes, because three different people have to act.
"""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

_RESIGN = "sign the package again: atomctl sign FILE --key KEY"
_RULES = "atomctl trust show    # the rules in force"


def _refusal(id_: str, title: str, meaning: str, hint: str, exit_: ExitCode = ExitCode.UNTRUSTED) -> Code:
    return Code(id_, title, meaning, hint, exit_, 422)


# Keys and signing
KEYFILE_MALFORMED = Code(
    "TRU101",
    "not a key file",
    "Not an encrypted key in cosign's format, or what it holds once decrypted is no key. Nothing was signed.",
    "atomctl keys generate    # writes a key file that cosign reads too",
    ExitCode.USAGE,
)
KEYFILE_PARAMETERS = Code(
    "TRU102",
    "a key file with key derivation parameters that are not accepted",
    "Only scrypt with N 32768, 65536 or 131072, r 8, p 1 and nacl/secretbox are accepted. The check comes before any "
    "derivation, so a hostile file costs neither memory nor time.",
    "write the key again with: cosign import-key-pair, or make a new one: atomctl keys generate",
    ExitCode.USAGE,
)
PASSWORD_WRONG = Code(
    "TRU103",
    "the password does not open the key file",
    "The file is well formed, but its authenticated encryption does not open with this password.",
    "set COSIGN_PASSWORD or give --password-file with the password the key was made with",
    ExitCode.AUTH,
)
KEY_TYPE = Code(
    "TRU104",
    "a key of a type that is not accepted",
    "ATOM signs and verifies with ECDSA on P-256 and SHA-256. RSA, Ed25519, other curves and explicit curve parameters "
    "are refused, whatever the file is called.",
    "atomctl keys generate",
    ExitCode.USAGE,
)
PUBLIC_KEY_MALFORMED = Code(
    "TRU105",
    "not a public key",
    "The text is not one PEM block `PUBLIC KEY` with a SubjectPublicKeyInfo in it.",
    "give the .pub file that `atomctl keys generate` or `cosign generate-key-pair` wrote",
    ExitCode.USAGE,
)
RULES_MALFORMED = Code(
    "TRU111",
    "trust rules that cannot be read",
    "A trust rule document is not what atom.trust-rules/v1 describes. The rules in force stay as they are.",
    "atomctl trust show -o json    # the form of the rules in force; unknown fields are refused, so no demand is lost",
    ExitCode.USAGE,
)

# The bundle
UNSIGNED = _refusal(
    "TRU201",
    "unsigned",
    "The package came without any signature bundle. Nothing is said about who made it.",
    "atomctl sign FILE --key KEY",
    ExitCode.UNSIGNED,
)
BUNDLE_MALFORMED = _refusal(
    "TRU202",
    "a signature bundle that cannot be read",
    "The bytes are not a Sigstore bundle: not strict JSON, a field missing, unknown, twice or of the wrong form. "
    "That is neither unsigned nor proof of tampering.",
    _RESIGN,
)
BUNDLE_TOO_LARGE = _refusal(
    "TRU203",
    "a signature bundle beyond the limits",
    "A bundle, the number of bundles or the nesting inside one exceeds what any honest signer writes. It was not read.",
    _RESIGN,
)
BUNDLE_VERSION = _refusal(
    "TRU204",
    "a signature bundle of a version that is not supported",
    "Bundle media types 0.1, 0.2 and 0.3 are read; 0.3 is written.",
    "sign with a current cosign or: atomctl sign FILE --key KEY",
)
DIGEST_MISMATCH = _refusal(
    "TRU205",
    "the signature is about other bytes",
    "The bundle names another digest than the package's: the package was changed after signing, or the bundle belongs "
    "to another package.",
    "fetch the package again from where it was built, or have it signed as it is now",
    ExitCode.TAMPERED,
)
SIGNATURE_INVALID = _refusal(
    "TRU206",
    "the signature is not valid",
    "The signature does not verify with the key the bundle names: bundle, package or key were exchanged or damaged.",
    "fetch package and bundle again from where they were built",
    ExitCode.TAMPERED,
)

# Its key
KEY_UNKNOWN = _refusal(
    "TRU210",
    "signed with an unknown key",
    "No key with this id is registered. A hint inside a bundle picks a candidate and never grants trust.",
    "atomctl keys register KEY.pub    # by its owner; a rule must list it too",
)
KEY_EXPIRED = _refusal(
    "TRU211",
    "signed with an expired key",
    "The key's validity had ended at the trusted time, or has ended and no trusted time says the signature is older.",
    _RESIGN,
)
KEY_NOT_YET_VALID = _refusal(
    "TRU212",
    "signed with a key that is not valid yet",
    "The key's validity begins after the time that counts for this signature.",
    "wait until the key is valid, or sign with another key",
)
KEY_RETIRED = _refusal(
    "TRU213",
    "signed with a retired key",
    "Signatures of a retired key hold only if the registry accepted them before it was retired. What the signer writes "
    "about its own time counts for nothing.",
    _RESIGN,
)
KEY_REVOKED = _refusal(
    "TRU214",
    "signed with a revoked key",
    "Signatures of a revoked key hold only if the registry accepted them before the key's revocation takes effect.",
    "find out what the key signed since, then sign with a new key",
)
KEY_WRONG_TYPE = _refusal(
    "TRU215",
    "a key of another type than registered",
    "The registered key is not ECDSA on P-256, or its bytes do not have the id it is registered under.",
    "register the key again: atomctl keys register KEY.pub",
)
KEY_NOT_ALLOWED = _refusal(
    "TRU216",
    "this key may not sign this name",
    "The key is known, but no group of the rule that applies to this name and environment lists it.",
    _RULES,
)
CERTIFICATE_REFUSED = _refusal(
    "TRU217",
    "a certificate where a registered key is demanded",
    "The bundle holds a certificate (keyless). The rule names keys, and a key is never taken from a certificate.",
    "sign with a registered key: atomctl sign FILE --key KEY",
)

# What was signed
STATEMENT_MALFORMED = _refusal(
    "TRU220",
    "the signed statement cannot be read",
    "The signature is valid, but what it signs is not an in-toto statement v1 in strict JSON.",
    _RESIGN,
)
STATEMENT_TYPE = _refusal(
    "TRU221",
    "the signed statement is not a release",
    "An attestation of another kind (build provenance, a scan result) says something about a package; it does not "
    "release it.",
    "atomctl sign FILE --key KEY    # signs a release statement",
)
COORDINATES_MISMATCH = _refusal(
    "TRU222",
    "the signature is about another name or version",
    "The signed statement releases these bytes under another name or version than the one asked for.",
    _RESIGN,
    ExitCode.TAMPERED,
)
TENANT_MISMATCH = _refusal(
    "TRU223",
    "the signature is for another tenant",
    "The signed statement releases the package for one tenant, and this is another.",
    "have it signed for this tenant: atomctl sign FILE --key KEY --tenant TENANT",
)

# What the rules demand
NO_RULE = _refusal(
    "TRU230",
    "no trust rule for this name",
    "Nobody has said who may sign this name in this environment. Without a rule nothing is trusted.",
    "atomctl keys register KEY.pub --for 'NAME-*'    # or: atomctl trust set RULES.json --reason WHY",
)
THRESHOLD_UNMET = _refusal(
    "TRU231",
    "not enough people have signed",
    "Valid signatures are there, but from fewer distinct people than the rule demands. Two bundles or two keys of one "
    "person count once; a person counts for one group.",
    "have the missing people sign the same file, then push all bundles together",
)
ROLLBACK = _refusal(
    "TRU232",
    "older than what was accepted before",
    "A higher version of the same major line was accepted already. An old package, signed as it was, may bring back a "
    "fault that was mended since.",
    "publish the mended code under a new version, or ask for an exception",
    ExitCode.DENIED,
)
BELOW_MINIMUM = _refusal(
    "TRU233",
    "below the lowest version that is allowed",
    "The trust rule sets a floor, and this version is under it.",
    _RULES,
    ExitCode.DENIED,
)
TOO_OLD = _refusal(
    "TRU234",
    "signed too long ago",
    "The trust rule limits the age of a release, and the signed statement is older.",
    _RESIGN,
)
TIME_MISSING = _refusal(
    "TRU235",
    "the signature does not say when it was made",
    "The trust rule limits the age of a release; a plain message signature carries no time.",
    "atomctl sign FILE --key KEY    # signs a release statement with its time",
)
TIME_OUTSIDE = _refusal(
    "TRU236",
    "signed in the future",
    "The signed statement's time lies after this machine's clock, by more than five minutes.",
    "check the clocks of signer and verifier, then sign again",
)

# Log entries and timestamps
LOG_MISSING = _refusal(
    "TRU240",
    "no transparency log entry",
    "The trust rule demands a log entry and the bundle has none.",
    "sign with a client that records in the log, or change the rule",
)
LOG_UNKNOWN = _refusal(
    "TRU241",
    "a log entry of a log nobody vouches for",
    "The trust rule demands a log entry, and no trusted log is configured that could have signed this one.",
    _RULES,
)
LOG_MISMATCH = _refusal(
    "TRU242",
    "the log entry is about something else",
    "The entry inside the bundle records another digest, signature or key than the bundle itself.",
    _RESIGN,
    ExitCode.TAMPERED,
)
LOG_FORBIDDEN = _refusal(
    "TRU243",
    "a log entry or timestamp where the rule forbids it",
    "The trust rule says that packages of this name are not announced to third parties.",
    "sign offline: atomctl sign FILE --key KEY",
)
TIMESTAMP_MISSING = _refusal(
    "TRU244",
    "no trusted timestamp",
    "The trust rule demands a signed timestamp and the bundle has none.",
    "sign with a timestamp authority, or change the rule",
)
TIMESTAMP_UNTRUSTED = _refusal(
    "TRU245",
    "a timestamp of an authority nobody vouches for",
    "The trust rule demands a signed timestamp, and no trusted authority is configured that could have made it.",
    _RULES,
)

CODES = (
    KEYFILE_MALFORMED,
    KEYFILE_PARAMETERS,
    PASSWORD_WRONG,
    KEY_TYPE,
    PUBLIC_KEY_MALFORMED,
    RULES_MALFORMED,
    UNSIGNED,
    BUNDLE_MALFORMED,
    BUNDLE_TOO_LARGE,
    BUNDLE_VERSION,
    DIGEST_MISMATCH,
    SIGNATURE_INVALID,
    KEY_UNKNOWN,
    KEY_EXPIRED,
    KEY_NOT_YET_VALID,
    KEY_RETIRED,
    KEY_REVOKED,
    KEY_WRONG_TYPE,
    KEY_NOT_ALLOWED,
    CERTIFICATE_REFUSED,
    STATEMENT_MALFORMED,
    STATEMENT_TYPE,
    COORDINATES_MISMATCH,
    TENANT_MISMATCH,
    NO_RULE,
    THRESHOLD_UNMET,
    ROLLBACK,
    BELOW_MINIMUM,
    TOO_OLD,
    TIME_MISSING,
    TIME_OUTSIDE,
    LOG_MISSING,
    LOG_UNKNOWN,
    LOG_MISMATCH,
    LOG_FORBIDDEN,
    TIMESTAMP_MISSING,
    TIMESTAMP_UNTRUSTED,
)
