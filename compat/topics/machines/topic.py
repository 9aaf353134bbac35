"""The topic."""

from __future__ import annotations

from compat.topics.machines.answers import ANSWERS
from compat.topics.machines.finding import Oddities, find
from compat.topics.machines.records import RECORDS
from compat.topics.machines.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Oddities] = Topic(
    name="machines",
    heading="Odd machines, and compilers switched off",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
)
