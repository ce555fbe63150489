"""Logs: one JSON object per line on stderr, with the ids of the request and run they belong to, and no secrets."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.stdlib import ProcessorFormatter

from atomctl.telemetry.redaction import redact

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_QUIETED = ("alembic", "httpcore", "httpcore2", "httpx", "httpx2", "psycopg", "urllib3")


def configure(level: str, json: bool) -> None:
    """Sends what this process and its libraries log to stderr.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        json: one JSON object per line; otherwise lines for people.

    Raises:
        ValueError: another level.
    """
    if level not in _LEVELS:
        raise ValueError(f"a log level is one of {', '.join(_LEVELS)}, got {level!r}")
    shared: list[Any] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=shared, processors=_finish(json)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for name in _QUIETED:
        logging.getLogger(name).setLevel(max(_LEVELS[level], logging.WARNING))


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; call it as `log.info("noun.verb", key=value)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def scope(**ids: str) -> AbstractContextManager[None]:
    """While it is open, every line of this thread or task carries these ids (`trace`, `run`, `tenant`, …)."""
    return bound_contextvars(**ids)


def _finish(json: bool) -> list[Any]:
    # The traceback is made into text first, so that redaction sees it too; local variables never stand in it.
    tail = [structlog.processors.format_exc_info, ProcessorFormatter.remove_processors_meta, _without_secrets]
    if json:
        return [*tail, structlog.processors.JSONRenderer(sort_keys=True, default=str)]
    return [*tail, structlog.dev.ConsoleRenderer(colors=False)]


def _without_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: redact(name, value) for name, value in event.items()}
