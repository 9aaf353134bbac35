"""The topic."""

from __future__ import annotations

from compat.topics.gates.advice import advise
from compat.topics.gates.answers import ANSWERS
from compat.topics.gates.finding import Gates, find
from compat.topics.gates.records import RECORDS
from compat.topics.gates.upgrade import upgrade
from compat.topics.gates.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Gates] = Topic(
    name="gates",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
    advise=advise,
    upgrade=upgrade,
)
