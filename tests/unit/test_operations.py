"""docs/operations.md is what somebody reads at night: it is held to what there is."""

import re
from typing import get_args

import click
import pytest

from chalicelib.domain.stripe_event import SUBSCRIBED
from chalicelib.domain.timeline import Kind
from chalicelib.entrypoints import metrics
from ops import templates
from ops.cli import ops
from ops.operating.words import EVENTS, WHO
from ops.stages import INFRA, ROOT

PAGE = (ROOT / "docs/operations.md").read_text("utf-8")
ALARMS = templates.parsed((INFRA / "alarms.yaml").read_text("utf-8"))["Resources"]


def alarm_names():
    """As the template has them, without app and stage."""
    for resource in ALARMS.values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            yield resource["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("${App}-${Stage}-")


def sections():
    """The page's sections on alarms, by name."""
    part = PAGE.split("\n## Alarms\n")[1].split("\n## ")[0]
    found = re.split(r"^### (.+)$", part, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_every_alarm_has_its_section_and_no_other():
    """Whoever is woken by a name finds that name."""
    assert sorted(sections()) == sorted(alarm_names())


@pytest.mark.parametrize("name", sections())
def test_a_section_says_what_how_and_what_to_do(name):
    """What it means, how to look, what to do, with the command's screen."""
    section = sections()[name]
    for heading in ("**It means**", "**Look**", "**Do**"):
        assert heading in section
    assert re.search(r"^    \$ python -m ops ", section, re.MULTILINE)


def commands(group=ops, prefix=()):
    """Every command there is, by its words."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*prefix, name))
        else:
            yield " ".join((*prefix, name)), command


FOR_DEPLOYING = {"configure", "deploy", "destroy", "secret"}
COMMANDS = dict(commands())


def test_every_operators_command_is_on_the_page():
    """What deploys is in going-live.md."""
    missing = [name for name in COMMANDS if name not in FOR_DEPLOYING and f"`{name}" not in PAGE]
    assert missing == []


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - FOR_DEPLOYING))
def test_every_operators_command_works_everywhere_and_for_programs(name):
    """On a stage and on a sandbox, for people and for scripts."""
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert {"--stage", "--sandbox", "--json"} <= options


def test_every_screen_is_of_a_command_that_exists():
    """A renamed command or option makes the page untrue."""
    for line in re.findall(r"^    \$ python -m ops (.+)$", PAGE, re.MULTILINE):
        words = line.split()
        name = words[0] if words[0] in COMMANDS else " ".join(words[:2])
        assert name in COMMANDS, line
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_every_figure_is_on_the_page():
    """Those that the code writes, and those that CloudWatch counts from the logs."""
    counted = {
        transformation["MetricName"]
        for resource in ALARMS.values()
        if resource["Type"] == "AWS::Logs::MetricFilter"
        for transformation in resource["Properties"]["MetricTransformations"]
    }
    for name in {*get_args(metrics.Name), *counted}:
        assert f"`{name}`" in PAGE


def test_every_event_has_words():
    """A timeline is read by people."""
    assert EVENTS.keys() == SUBSCRIBED
    assert WHO.keys() == set(get_args(Kind))
