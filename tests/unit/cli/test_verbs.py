"""Every verb looks alike: help with examples, an output format, the one line the table promises."""

from collections.abc import Iterator

import click
import pytest

from atomctl.cli.main import root
from atomctl.cli.verbs import VERBS, Verb

PROCESSES = {"up", "down", "demo", "server", "worker", "completion"}
"""They run until they are stopped, or print for another program; they print no data."""


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from leaves(child, f"{path} {name}")
    else:
        yield path, command


def load(verb: Verb) -> click.Command:
    command = root.get_command(click.Context(root), verb.name)
    assert command is not None
    return command


LEAVES = [leaf for verb in VERBS.values() for leaf in leaves(load(verb), verb.name)]


@pytest.mark.parametrize("verb", VERBS.values(), ids=lambda verb: verb.name)
def test_the_table_says_what_the_verb_says_of_itself(verb: Verb) -> None:
    command = load(verb)
    assert command.name == verb.name
    assert (command.help or "").split("\n\n")[0] == verb.help


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[path for path, _ in LEAVES])
def test_help_ends_with_examples_that_name_the_command(path: str, command: click.Command) -> None:
    assert command.epilog is not None
    assert command.epilog.startswith("\b\nExamples:\n")
    assert f"atomctl {path}" in command.epilog or f" {path}" in command.epilog


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[path for path, _ in LEAVES])
def test_what_prints_data_prints_it_in_every_format(path: str, command: click.Command) -> None:
    if path in PROCESSES:
        return
    outputs = [p for p in command.params if p.name == "output"]
    assert len(outputs) == 1, path
    assert isinstance(outputs[0].type, click.Choice)
    assert {"text", "json", "jsonl", "name"} <= set(outputs[0].type.choices)


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[path for path, _ in LEAVES])
def test_every_option_says_what_it_does(path: str, command: click.Command) -> None:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.opts}"
