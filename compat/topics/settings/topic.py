"""The topic."""

from __future__ import annotations

from compat.topics.settings.answers import ANSWERS
from compat.topics.settings.finding import Switches, find
from compat.topics.settings.records import RECORDS
from compat.topics.settings.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Switches] = Topic(
    name="settings",
    heading="The switch between the paths",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
)
