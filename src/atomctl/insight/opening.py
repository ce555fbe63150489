"""The watchman of the settings."""

from __future__ import annotations

from atomctl.db.address import DatabaseAddress
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.insight import codes, watches
from atomctl.insight.prometheus import Prometheus
from atomctl.insight.watching import Watchman
from atomctl.settings import Settings


def open_watchman(settings: Settings, address: DatabaseAddress) -> Watchman | None:
    """What watches the series that the settings name; None if they name no file.

    Raises:
        AtomError: INS801 there are watches without a Prometheus; INS830, WPK101 to WPK107 their file cannot be used.
    """
    if settings.watches is None:
        return None
    if settings.prometheus_url is None:
        raise AtomError(codes.NOT_CONFIGURED, "ATOM_WATCHES names series to watch, and PROMETHEUS_URL is not set")
    watched = watches.load(settings.watches)
    sessions = Sessions(address, DatabaseRole.WORKER, min_size=0, max_size=2, name="atomctl watches")
    return Watchman(sessions, Prometheus(settings.prometheus_url), watched)
