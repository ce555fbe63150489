"""The error codes of packages: reading YAML, the manifest, parameters and expressions, the archive, its transfer."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

TEXT = Code(
    id="WPK101",
    title="not plain text",
    meaning="A YAML file is not UTF-8, or the manifest starts with a byte order mark or contains carriage returns. Two"
    " programs could read such a file differently, so it is not read at all.",
    hint="save the file as UTF-8 without a byte order mark and with LF line ends, e.g. `dos2unix wpk.yaml`",
    status=422,
)
SYNTAX = Code(
    id="WPK102",
    title="not YAML",
    meaning="The YAML parser stopped at the position given.",
    hint="look at the line above the position too: an open quote or bracket is reported where it should have ended",
    status=422,
)
LARGE_YAML = Code(
    id="WPK103",
    title="YAML file too large",
    meaning="A YAML file has more than 1 MiB.",
    hint="move data out of the file into `files/`, or split it into several files",
    status=413,
)
DEEP_YAML = Code(
    id="WPK104",
    title="YAML nested too deeply",
    meaning="Mappings and sequences are nested more than 64 levels deep.",
    hint="flatten the document; ordinary manifests stay below 20 levels",
    status=422,
)
ALIASES = Code(
    id="WPK105",
    title="YAML aliases expand too far",
    meaning="The aliases (`*name`) of a document stand for more text than the budget allows, or one lies inside the"
    " very value it names.",
    hint="write the repeated values out",
    status=422,
)
DUPLICATE_KEY = Code(
    id="WPK106",
    title="duplicate key",
    meaning="A mapping names one key twice. YAML readers disagree about which one counts, so neither does.",
    hint="remove one of the two",
    status=422,
)
UNSUPPORTED_YAML = Code(
    id="WPK107",
    title="YAML that JSON cannot hold",
    meaning="The document uses a tag of its own, a key that is not text, a number that is not finite, or a merge key"
    " that is not the first of its mapping (readers disagree about what that means).",
    hint="write the value as plain YAML",
    status=422,
)
DOCUMENTS = Code(
    id="WPK108",
    title="not exactly one document",
    meaning="A manifest is one YAML document; the file holds none or several.",
    hint="keep one document in wpk.yaml and put Kubernetes objects into `manifests/`",
    status=422,
)
UNKNOWN_FIELD = Code(
    id="WPK110",
    title="unknown field",
    meaning="The manifest has a field the schema does not know. Unknown fields are refused, because a misspelt limit"
    " would otherwise be a limit that is not there.",
    hint="docs/reference/manifest.md lists the fields",
    status=422,
)
WRONG_VALUE = Code(
    id="WPK111",
    title="wrong value",
    meaning="A field of the manifest has a value of the wrong type or form.",
    hint="docs/reference/manifest.md describes each field",
    status=422,
)
MISSING_FIELD = Code(
    id="WPK112",
    title="missing field",
    meaning="The manifest lacks a field that is required at this place.",
    hint="docs/reference/manifest.md describes each field",
    status=422,
)
UNSUPPORTED_VERSION = Code(
    id="WPK113",
    title="unsupported manifest version",
    meaning="`apiVersion` or `kind` names a format this version does not read.",
    hint="write `apiVersion: atom/v1` and `kind: WorkflowPackage`",
    status=422,
)
BAD_REFERENCE = Code(
    id="WPK114",
    title="reference to something that is not there",
    meaning="A handler needs, compensates or reads a handler, parameter or secret the manifest does not declare, or"
    " that cannot have happened before it.",
    hint="declare it, or correct the name",
    status=422,
)
CYCLE = Code(
    id="WPK115",
    title="handlers need each other in a circle",
    meaning="Following `needs` leads back to the start, so no handler of the circle could ever begin.",
    hint="remove one `needs` of the circle",
    status=422,
)
DUPLICATE_NAME = Code(
    id="WPK116",
    title="handler name used twice",
    meaning="Two handlers have one name; logs, outputs and `needs` could not tell them apart. Handlers of the rollback"
    " share the same names.",
    hint="rename one of them",
    status=422,
)
TEMPLATE_REFUSED = Code(
    id="WPK117",
    title="template where values must not be spliced",
    meaning="`${{ }}` stands in a shell command, script, argument or another field that is fixed at signing. Values"
    " reach shell steps as data through the environment, never as text spliced into code.",
    hint='set it under `env:` and read the variable in the script, e.g. `"$ATOM_PARAM_HOST"`',
    status=422,
)
BAD_EXPRESSION = Code(
    id="WPK118",
    title="expression that is not CEL",
    meaning="An expression in `when`, `success.when` or between `${{` and `}}` does not compile, or is longer than"
    " 4,096 characters.",
    hint='handler names with dashes are read as `steps["find-unhealthy"].outputs.count`',
    status=422,
)
EVALUATION = Code(
    id="WPK119",
    title="expression without a usable result",
    meaning="An expression compiled but could not be evaluated with the values given: a name was missing, types did not"
    " fit, the iteration budget ran out, or the result is not what its place needs.",
    hint="guard optional values with `has(...)`, convert with `int(...)`, `double(...)` or `string(...)`",
    status=422,
)
BAD_PARAMETER_SCHEMA = Code(
    id="WPK120",
    title="parameter schema refused",
    meaning="`spec.parameters` is not a JSON Schema 2020-12 object schema that can be evaluated offline and in bounded"
    " time: local references only, no circles, linear-time patterns, names in lower_snake_case.",
    hint="docs/reference/manifest.md shows what is allowed under `spec.parameters`",
    status=422,
)
BAD_PARAMETER = Code(
    id="WPK121",
    title="parameter refused",
    meaning="A parameter of the run is unknown, missing, or not what the package's schema demands. Nothing"
    " was started.",
    hint="`atomctl packages show NAME@VERSION` lists the parameters",
    status=422,
)
MISSING_FILE = Code(
    id="WPK122",
    title="file named in the manifest is missing",
    meaning="A handler names a script or manifest that is not in the package, or a script that is not executable.",
    hint="add the file, and mark scripts executable: `chmod +x scripts/NAME`",
    status=422,
)
TRUNCATED = Code(
    id="WPK130",
    title="truncated archive",
    meaning="The archive ends before its last member or its two closing zero blocks do.",
    hint="transfer the file again and compare its digest",
    status=422,
)
NOT_CANONICAL = Code(
    id="WPK131",
    title="archive in another form than `pack` writes",
    meaning="A header differs from the one form this format allows (order, times, owners, modes, padding, checksums)."
    " One content must have one digest, so another form is refused although tar could read it.",
    hint="unpack it with tar, look at it, and make it again with `atomctl pack FOLDER`",
    status=422,
)
ABSOLUTE_PATH = Code(
    id="WPK132",
    title="absolute path in the archive",
    meaning="A member would be written outside the target folder.",
    hint="do not use this archive; ask whoever made it",
    status=422,
)
PARENT_PATH = Code(
    id="WPK133",
    title="path leaves the archive",
    meaning="A member's path has a `..`, `.` or empty segment.",
    hint="do not use this archive; ask whoever made it",
    status=422,
)
LINK = Code(
    id="WPK134",
    title="link in the package",
    meaning="A member or source file is a symbolic or hard link. Packages hold regular files only.",
    hint="replace the link by the file it points to",
    status=422,
)
DEVICE = Code(
    id="WPK135",
    title="device in the package",
    meaning="A member or source file is a device, FIFO or socket. Packages hold regular files only.",
    hint="remove it",
    status=422,
)
MEMBER_TYPE = Code(
    id="WPK136",
    title="member of an unsupported type",
    meaning="A member is a folder entry, a sparse or GNU extension record, or a global PAX header. Packages hold"
    " regular files only.",
    hint="make the archive with `atomctl pack FOLDER`",
    status=422,
)
DUPLICATE_MEMBER = Code(
    id="WPK137",
    title="one path twice in the archive",
    meaning="Two members have the same path; which one counts would depend on the reader.",
    hint="do not use this archive; ask whoever made it",
    status=422,
)
COLLISION = Code(
    id="WPK138",
    title="paths that some file systems cannot tell apart",
    meaning="Two paths differ only in case or Unicode form, or one is a file where another needs a folder.",
    hint="rename one of them",
    status=422,
)
TOO_MANY = Code(
    id="WPK139",
    title="too many files",
    meaning="A package has more than 10,000 files.",
    hint="put data into an archive or an object store and fetch it in a step",
    status=413,
)
TOO_LARGE = Code(
    id="WPK140",
    title="package too large",
    meaning="A package has more than 64 MiB.",
    hint="put data into an object store and fetch it in a step",
    status=413,
)
TRAILING_DATA = Code(
    id="WPK141",
    title="data after the end of the archive",
    meaning="Bytes follow the two closing zero blocks; another reader might read them.",
    hint="make the archive with `atomctl pack FOLDER`",
    status=422,
)
TOO_DEEP = Code(
    id="WPK142",
    title="folders nested too deeply",
    meaning="A path has more than 16 segments.",
    hint="flatten the folders",
    status=422,
)
PAX_OVERRIDE = Code(
    id="WPK143",
    title="PAX header that overrides more than a path",
    meaning="A PAX header may carry one `path` and nothing else, and only where the plain header cannot hold it.",
    hint="make the archive with `atomctl pack FOLDER`",
    status=422,
)
BAD_NAME = Code(
    id="WPK144",
    title="file name refused",
    meaning="A path is not UTF-8 in Unicode form NFC, has a control character or a backslash, or is too long.",
    hint="rename the file",
    status=422,
)
NO_MANIFEST = Code(
    id="WPK145",
    title="no wpk.yaml",
    meaning="The folder or archive has no `wpk.yaml` at its top.",
    hint="`atomctl init NAME` makes a package to start from",
    status=422,
)
NOT_AN_ARCHIVE = Code(
    id="WPK146",
    title="not a package archive",
    meaning="The bytes are not a plain tar archive.",
    hint="a package is what `atomctl pack FOLDER` writes: an uncompressed tar named NAME-VERSION.wpk",
    status=422,
)
LAYOUT = Code(
    id="WPK147",
    title="file outside the package's folders",
    meaning="A package holds `wpk.yaml`, `README.md`, `LICENSE` and the folders `manifests/`, `scripts/` and `files/`,"
    " without hidden files. A stray file might be one that nobody meant to sign.",
    hint="move the file into `files/`, or out of the package",
    status=422,
)
UNREADABLE = Code(
    id="WPK150",
    title="source cannot be read",
    meaning="A folder or file could not be read: missing, not permitted, or changed while it was read.",
    hint="check the path and its permissions",
    exit=ExitCode.USAGE,
)
TARGET_EXISTS = Code(
    id="WPK151",
    title="target folder exists",
    meaning="A package is extracted into a folder that does not exist yet, so that nothing is mixed. Nothing"
    " was written.",
    hint="choose another folder, or remove this one",
    exit=ExitCode.CONFLICT,
)
UNWRITABLE = Code(
    id="WPK152",
    title="package cannot be extracted",
    meaning="Writing the files failed, for example on a full disk. What had been written was removed again.",
    hint="check free space and permissions of the target",
    exit=ExitCode.SERVICE,
    retryable=True,
)
BAD_ENCODING = Code(
    id="WPK160",
    title="compressed transfer is damaged",
    meaning="A transfer said to be zstd or gzip could not be decompressed, or ended early.",
    hint="send it again, or send the package uncompressed",
)
BOMB = Code(
    id="WPK161",
    title="compressed transfer expands too far",
    meaning="A transfer expands beyond 100 times its size or beyond the largest package. Decompression stopped there.",
    hint="send the package uncompressed",
    status=413,
)
SECOND_MEMBER = Code(
    id="WPK162",
    title="compressed transfer with more than one member",
    meaning="Data follows the end of the compressed stream; readers disagree about whether it counts.",
    hint="compress the package as one stream",
)
