"""Whatever is written as a path: it names a place below the tenant's prefix, or it is refused."""

import string
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.paths import Location, locate

TENANTS = st.uuids()
PARTS = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=8) | st.sampled_from(
    ["..", ".", "", "data", "metadata", "secret", "kv", "%2e%2e", "a b", "ü"]
)
MOUNTS = st.sampled_from(["secret", "kv", "kv/team"])


def located(mount: str, tenant: UUID, path: str) -> Location | None:
    """The place; None if the path was refused as one of the two things it can be."""
    try:
        return locate(mount, tenant, path)
    except AtomError as error:
        if error.code not in {codes.BAD_PATH, codes.FOREIGN_PATH}:
            raise
        return None


@given(MOUNTS, TENANTS, TENANTS, st.lists(PARTS | st.sampled_from(["OURS", "THEIRS"]), max_size=18))
@settings(deadline=None, max_examples=100)
def test_no_spelling_leaves_the_tenants_prefix(mount: str, ours: UUID, theirs: UUID, parts: list[str]) -> None:
    names = {"OURS": str(ours), "THEIRS": str(theirs)}
    path = "/".join(names.get(part, part) for part in parts)
    place = located(mount, ours, path)
    if place is None:
        return
    assert str(place).startswith(f"{mount}/{ours}/")
    assert not {"", ".", ".."} & set(str(place).split("/"))
    assert path.endswith(place.name)


@given(MOUNTS, TENANTS, st.text(max_size=60))
@settings(deadline=None, max_examples=100)
def test_any_text_is_a_place_or_a_refusal(mount: str, tenant: UUID, path: str) -> None:
    place = located(mount, tenant, path)
    assert place is None or place.tenant_id == tenant


@given(MOUNTS, TENANTS, st.lists(st.from_regex(r"[a-z][a-z0-9_.-]{0,7}", fullmatch=True), min_size=1, max_size=5))
@settings(deadline=None, max_examples=100)
def test_a_place_is_found_again_by_the_path_it_shows(mount: str, tenant: UUID, parts: list[str]) -> None:
    place = located(mount, tenant, "/".join(parts))
    assert place is None or locate(mount, tenant, str(place)) == place
