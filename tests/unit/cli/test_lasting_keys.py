"""What a deployment makes once."""

from pathlib import Path
from uuid import UUID

from atomctl.access.issuer import EmbeddedIssuer
from atomctl.audit.keys import load_key, read_vkeys
from atomctl.cli.lasting_keys import make_lasting
from atomctl.db.credentials import read_login
from atomctl.db.roles import DatabaseRole


def written(home: Path, lasting: dict[str, bytes], folder: str, *names: str) -> None:
    for name in names:
        (home / folder).mkdir(exist_ok=True)
        (home / folder / name).touch(mode=0o600)
        (home / folder / name).write_bytes(lasting[name])


def test_what_is_kept_makes_a_home_anew(tmp_path: Path) -> None:
    (tmp_path / "pod").mkdir()
    lasting = make_lasting(tmp_path / "first")
    keys = ("issuer.key", "audit.key", "audit.vkey", "backup.key", "dataset.key")
    written(tmp_path / "pod", lasting, "keys", *keys)
    written(tmp_path / "pod", lasting, "credentials", *DatabaseRole)
    written(tmp_path / "pod", lasting, ".", "tenant")
    assert make_lasting(tmp_path / "pod") == lasting, "nothing was missing, so nothing was made"
    assert EmbeddedIssuer(tmp_path / "pod/keys/issuer.key").trusted.tenants is None
    key = load_key(tmp_path / "pod/keys/audit.key")
    assert [vkey.public for vkey in read_vkeys(lasting["audit.vkey"].decode())] == [key.public]
    assert UUID(lasting["tenant"].decode().strip()).version == 7
    passwords = {read_login(tmp_path / "pod/credentials", role).password for role in DatabaseRole}
    assert len(passwords) == len(DatabaseRole)


def test_the_names_can_be_keys_of_a_secret(tmp_path: Path) -> None:
    assert all(name.replace(".", "").replace("_", "").isalnum() for name in make_lasting(tmp_path / "home"))
