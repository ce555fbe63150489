"""One frozen `Settings`: flag over environment over context file over default, and where each value came from.

Every setting is a field below; its metadata names the environment variables that set it (the first one is ATOM's own,
the others are the well-known names of the field), so that the reference page and `atomctl doctor` are generated from
the same place the program reads.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from atomctl import setting_forms as forms
from atomctl.errors import AtomError, Code, ExitCode

INVALID = Code(
    "CFG001",
    "a setting has a value that cannot be used",
    "A flag, environment variable or context file holds a value of the wrong form. Nothing was started.",
    "atomctl doctor    # shows every setting, its value and where it came from",
    ExitCode.USAGE,
)
UNKNOWN = Code(
    "CFG002",
    "a context file names a setting that does not exist",
    "Unknown names are refused, because a misspelt setting would otherwise silently keep its default.",
    "atomctl doctor    # lists the settings there are",
    ExitCode.USAGE,
)
UNREADABLE = Code(
    "CFG003",
    "a settings file cannot be read",
    "The context file exists but is not readable JSON of at most 64 KiB.",
    "fix or remove the file named above, then try again",
    ExitCode.USAGE,
)
CODES = (INVALID, UNKNOWN, UNREADABLE)

_CONTEXT_LIMIT = 64 * 1024


def _default_home() -> Path:
    """XDG data folder; for root `/var/lib/atomctl`, which the database's own system user can reach."""
    if os.geteuid() == 0:
        return Path("/var/lib/atomctl")
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "atomctl"


def _setting(
    help_: str, parse: Callable[[str], Any], *env: str, default: Any = None, factory: Any = None, secret: bool = False
) -> Any:
    """One setting; a `secret` one is shown by no `repr` and no command."""
    metadata = {"help": help_, "parse": parse, "env": env, "secret": secret}
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What this process was told, and by whom.

    `origins` maps each field that is not at its default to a phrase such as `flag --port`, `environment ATOM_HOME` or
    `context /path/file.json`.
    """

    home: Path = _setting(
        "where the state of this machine's instance lives", forms.path, "ATOM_HOME", factory=_default_home
    )
    host: str = _setting("the address the server listens on", str, "ATOM_HOST", default="127.0.0.1")
    port: int = _setting("the port the server listens on; 0 takes a free one", forms.port, "ATOM_PORT", default=8460)
    api_url: str | None = _setting("the server that the command line talks to", str, "ATOM_API_URL")
    token_file: Path | None = _setting("the file that holds the access token", forms.path, "ATOM_TOKEN_FILE")
    database_url: str | None = _setting(
        "an external PostgreSQL (15 or newer); unset = the embedded one",
        str,
        "ATOM_DATABASE_URL",
        "POSTGRES_DSN",
        secret=True,
    )
    credentials: Path | None = _setting(
        "the folder with one password file per database role", forms.path, "ATOM_DATABASE_CREDENTIALS"
    )
    environment: str = _setting(
        "the environment that trust rules and decisions see",
        forms.one_of("development", "test", "staging", "production"),
        "ATOM_ENVIRONMENT",
        default="development",
    )
    isolation: str | None = _setting(
        "whether shell steps need a sandbox (unset: preferred on an embedded loopback instance, else required)",
        forms.one_of("required", "preferred"),
        "ATOM_ISOLATION",
    )
    step_allow: tuple[str, ...] = _setting(
        "internal networks and host:port pairs that steps may reach, separated by commas",
        forms.words,
        "ATOM_STEP_ALLOW",
        default=(),
    )
    log_level: str = _setting(
        "how much the processes log",
        forms.one_of("debug", "info", "warning", "error"),
        "ATOM_LOG_LEVEL",
        default="info",
    )
    cosign_public_key: Path | None = _setting(
        "the public key that `verify` uses when none is named", forms.path, "COSIGN_PUBLIC_KEY_PATH"
    )
    cosign: Path | None = _setting(
        "the cosign that signs a probe of the controls; unset = the one on the path, if any",
        forms.path,
        "ATOM_COSIGN",
    )
    controls_receiver: str | None = _setting(
        "the host:port where a check of controls listens for what Alertmanager reports of alerts with probe=true",
        str,
        "ATOM_CONTROLS_RECEIVER",
    )
    controls_every: timedelta = _setting(
        "the time between two checks of the twelve controls by a worker, or `off`",
        forms.period,
        "ATOM_CONTROLS_EVERY",
        default=timedelta(days=7),
    )
    secrets: str = _setting(
        "where steps' secrets are kept", forms.one_of("none", "vault", "local"), "ATOM_SECRETS", default="none"
    )
    secrets_mount: str = _setting(
        "what the paths of secrets begin with: the mount of the KV engine", str, "ATOM_SECRETS_MOUNT", default="secret"
    )
    vault_addr: str | None = _setting("the address of the Vault or OpenBao", str, "BAO_ADDR", "VAULT_ADDR")
    vault_namespace: str | None = _setting("its namespace", str, "BAO_NAMESPACE", "VAULT_NAMESPACE")
    vault_cacert: Path | None = _setting(
        "the certificate authority it is trusted by", forms.path, "BAO_CACERT", "VAULT_CACERT"
    )
    vault_role_id: str | None = _setting("the AppRole to log in with", str, "VAULT_ROLE_ID")
    vault_secret_id: str | None = _setting(
        "the AppRole's secret id, or better its wrapping token", str, "VAULT_SECRET_ID", secret=True
    )
    vault_token: str | None = _setting(
        "a token to use where no AppRole is set", str, "BAO_TOKEN", "VAULT_TOKEN", secret=True
    )
    kubernetes: str | None = _setting(
        "the cluster of k8s steps: `in-cluster` by the Pod's service account, or `off`; unset = by KUBECONFIG, if set",
        forms.one_of("in-cluster", "off"),
        "ATOM_KUBERNETES",
    )
    kubeconfig: Path | None = _setting("the kubeconfig of the cluster of k8s steps: one file", forms.path, "KUBECONFIG")
    kube_context: str | None = _setting(
        "the context of the kubeconfig; unset = its current one", str, "ATOM_KUBE_CONTEXT"
    )
    step_runtime: str = _setting(
        "where shell steps run whose package says `shell`: `shell` in the worker's sandbox, `k8s` as Kubernetes Jobs",
        forms.one_of("shell", "k8s"),
        "ATOM_STEP_RUNTIME",
        default="shell",
    )
    job_namespace: str | None = _setting(
        "the namespace of shell steps that run as Jobs; unset = the connection's own", str, "ATOM_JOB_NAMESPACE"
    )
    job_image: str | None = _setting(
        "the image of Jobs whose package names none, pinned by digest", str, "ATOM_JOB_IMAGE"
    )
    job_local_images: tuple[str, ...] = _setting(
        "images without a digest that Jobs may run in, because they exist on the nodes alone; for tests",
        forms.words,
        "ATOM_JOB_LOCAL_IMAGES",
        default=(),
    )
    s3_endpoint: str | None = _setting("the S3 server that keeps objects; unset = Amazon's", str, "S3_ENDPOINT")
    s3_region: str = _setting("the region its requests are signed for", str, "S3_REGION", default="us-east-1")
    s3_access_key: str | None = _setting("the access key of its buckets", str, "S3_ACCESS_KEY")
    s3_secret_key: str | None = _setting("the secret of the access key", str, "S3_SECRET_KEY", secret=True)
    s3_bucket: str | None = _setting("the bucket of packages and logs; unset = a folder in the home", str, "S3_BUCKET")
    s3_audit_bucket: str | None = _setting(
        "the bucket with Object Lock that the audit log is anchored in; unset = not anchored", str, "S3_AUDIT_BUCKET"
    )
    audit_retention: timedelta = _setting(
        "how long anchors are locked, such as 30d; a lock cannot be shortened by anybody",
        forms.duration,
        "ATOM_AUDIT_RETENTION",
        default=timedelta(days=7 * 366),
    )
    prometheus_url: str | None = _setting(
        "the Prometheus that `signals probe` and watches ask: its base address", str, "PROMETHEUS_URL", "PROM_URL"
    )
    watches: Path | None = _setting(
        "the file of the series in that Prometheus that workers watch; unset = none", forms.path, "ATOM_WATCHES"
    )
    alertmanager_url: str | None = _setting(
        "the Alertmanager that a check of controls asks: its base address", str, "ALERTMANAGER_URL"
    )
    worker_metrics_host: str = _setting(
        "the address a worker shows its metrics on", str, "ATOM_WORKER_METRICS_HOST", default="127.0.0.1"
    )
    worker_metrics_port: int = _setting(
        "the port a worker shows its metrics on; 0 takes a free one, which stands in targets/ in the home",
        forms.port,
        "ATOM_WORKER_METRICS_PORT",
        default=0,
    )
    alert_scale: float = _setting(
        "what every window and waiting time of the alert rules is multiplied with, for tests alone",
        forms.share,
        "ATOM_ALERT_SCALE",
        default=1.0,
    )
    backup_folder: Path | None = _setting(
        "where backups are kept if in no bucket, best another disk; unset = a folder in the home",
        forms.path,
        "ATOM_BACKUP_FOLDER",
    )
    s3_backup_bucket: str | None = _setting(
        "the bucket of backups; unset = ATOM_BACKUP_FOLDER if set, else the audit bucket", str, "S3_BACKUP_BUCKET"
    )
    backup_lock: timedelta = _setting(
        "how long a bucket keeps what is stored of a backup locked, such as 30d; `off` for one without Object Lock",
        forms.period,
        "ATOM_BACKUP_LOCK",
        default=timedelta(days=30),
    )
    backup_every: timedelta | None = _setting(
        "the time between two backups, or `off` (unset: 1d with the embedded database, else off)",
        forms.period,
        "ATOM_BACKUP_EVERY",
    )
    drill_every: timedelta | None = _setting(
        "the time between two restore drills, or `off` (unset: 7d with the embedded database, else off)",
        forms.period,
        "ATOM_DRILL_EVERY",
    )
    backup_keep: str = _setting(
        "the backups to keep: the newest of so many hours, days, weeks, months and years",
        str,
        "ATOM_BACKUP_KEEP",
        default="daily=7,weekly=5,monthly=12",
    )
    embedding_url: str | None = _setting(
        "the OpenAI-compatible provider of embeddings: its base address, such as https://provider.example/v1;"
        " unset = the model on this machine",
        str,
        "ATOM_EMBEDDING_URL",
    )
    embedding_model: str | None = _setting("the model to ask that provider for", str, "ATOM_EMBEDDING_MODEL")
    embedding_key_file: Path | None = _setting(
        "the file with the provider's key, readable by its owner alone", forms.path, "ATOM_EMBEDDING_KEY_FILE"
    )
    embedding_dimension: int | None = _setting(
        "the numbers in a vector to ask that provider for; unset = it is not asked, and must give 384",
        forms.count(4096),
        "ATOM_EMBEDDING_DIMENSION",
    )
    embedding_timeout: timedelta = _setting(
        "how long one answer of that provider may take",
        forms.duration,
        "ATOM_EMBEDDING_TIMEOUT",
        default=timedelta(seconds=30),
    )
    embedding_weights: Path | None = _setting(
        "the folder with the files of all-MiniLM-L6-v2; unset = the installed package's",
        forms.path,
        "ATOM_EMBEDDING_WEIGHTS",
    )
    embedding_runtime: str | None = _setting(
        "what computes it (unset: onnxruntime where it is installed, else numpy; the vectors are the same)",
        forms.one_of("onnxruntime", "numpy"),
        "ATOM_EMBEDDING_RUNTIME",
    )
    embedding_threads: int | None = _setting(
        "the threads onnxruntime computes on; unset = one for each processor of this process, at most 8",
        forms.count(256),
        "ATOM_EMBEDDING_THREADS",
    )
    openlineage_url: str | None = _setting(
        "the receiver of OpenLineage events that `dataset export` tells beginning and end: its base address",
        str,
        "OPENLINEAGE_URL",
    )
    openlineage_api_key: str | None = _setting(
        "the key that is sent to it as a bearer token", str, "OPENLINEAGE_API_KEY", secret=True
    )
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def origin(self, name: str) -> str:
        """Where the value of the field `name` came from; `default` if nobody set it."""
        return self.origins.get(name, "default")

    @property
    def loopback(self) -> bool:
        """Whether the server can be reached from this machine alone."""
        return self.host in {"127.0.0.1", "::1", "localhost"}


def setting_fields() -> list[dataclasses.Field[Any]]:
    """The fields a user may set, in the order of the reference page."""
    return [f for f in dataclasses.fields(Settings) if "parse" in f.metadata]


def load_settings(
    flags: Mapping[str, object] | None = None,
    env: Mapping[str, str] | None = None,
    context_file: Path | None = None,
) -> Settings:
    """The settings in force: a flag beats the environment, that beats the context file, that beats the default.

    A flag or variable that is absent, `None` or empty sets nothing.

    Raises:
        AtomError: CFG001 a value of the wrong form, CFG002 an unknown name in the context file, CFG003 the context
            file cannot be read.
    """
    env = os.environ if env is None else env
    flags = flags or {}
    context = _read_context(context_file) if context_file else {}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for spec in setting_fields():
        found = _find(spec, flags, env, context, context_file)
        if found is None:
            continue
        raw, origins[spec.name] = found
        values[spec.name] = _parse(spec, raw, origins[spec.name])
    return Settings(**values, origins=origins)


def _find(
    spec: dataclasses.Field[Any],
    flags: Mapping[str, object],
    env: Mapping[str, str],
    context: Mapping[str, object],
    context_file: Path | None,
) -> tuple[object, str] | None:
    if flags.get(spec.name) not in (None, ""):
        return flags[spec.name], f"flag --{spec.name.replace('_', '-')}"
    for variable in spec.metadata["env"]:
        if env.get(variable):
            return env[variable], f"environment {variable}"
    if context.get(spec.name) not in (None, ""):
        return context[spec.name], f"context {context_file}"
    return None


def _parse(spec: dataclasses.Field[Any], raw: object, origin: str) -> Any:
    try:
        return spec.metadata["parse"](str(raw))
    except ValueError as error:
        raise AtomError(INVALID, f"{spec.name} from {origin}: {error}") from error


def _read_context(file: Path) -> dict[str, object]:
    try:
        with file.open("rb") as stream:
            data = stream.read(_CONTEXT_LIMIT + 1)
        if len(data) > _CONTEXT_LIMIT:
            raise ValueError(f"more than {_CONTEXT_LIMIT} bytes")
        values = json.loads(data)
        if not isinstance(values, dict):
            raise ValueError("not a JSON object")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise AtomError(UNREADABLE, f"{file}: {error}") from error
    unknown = sorted(set(values) - {spec.name for spec in setting_fields()})
    if unknown:
        raise AtomError(UNKNOWN, f"{file}: {', '.join(unknown)}")
    return values
