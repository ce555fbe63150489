"""Airflow as a scheduler of the project's DAGs: each run is one `airflow dags test`, with a state of its own."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.servers.requirement import require
from tools import airflow

DAGS = Path(__file__).parents[2] / "deploy" / "airflow"
_PATIENCE = 240


@dataclass(frozen=True, slots=True)
class TaskRun:
    """How one task of a run ended: its place in the mapping (-1: it is not mapped), state and number of tries."""

    task: str
    index: int
    state: str
    tries: int


@dataclass(frozen=True, slots=True)
class DagRun:
    """How a run of a DAG ended, task by task, and what was logged."""

    exit_code: int
    tasks: tuple[TaskRun, ...]
    log: str

    def states(self, task: str) -> list[str]:
        """The states of a mapped task, in the order of what it was mapped over."""
        return [each.state for each in self.tasks if each.task == task]


class Airflow:
    """Runs DAGs one after another; what a run knew of others is gone with it.

    Args:
        folder: for Airflow's state; made.
        env: what the tasks find in their environment.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        require(airflow.is_there(), "Airflow, which runs the DAG under deploy/airflow", "make airflow")
        self._home = folder
        self._env = {**airflow.environment(folder), "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS), **env}

    def run(self, dag: str) -> DagRun:
        """Runs the DAG to its end, all tasks in one process."""
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir()
        shutil.copy(airflow.empty_database(), self._home / "airflow.db")
        done = subprocess.run(
            [airflow.program(), "dags", "test", dag],
            env=self._env,
            cwd=self._home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return DagRun(done.returncode, self._tasks(), done.stdout)

    def _tasks(self) -> tuple[TaskRun, ...]:
        with closing(sqlite3.connect(self._home / "airflow.db")) as database:
            rows = database.execute(
                "SELECT task_id, map_index, state, try_number FROM task_instance ORDER BY task_id, map_index"
            )
            return tuple(TaskRun(*row) for row in rows)
