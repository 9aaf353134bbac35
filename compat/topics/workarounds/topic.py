"""The topic."""

from __future__ import annotations

from compat.topics.topic import Topic
from compat.topics.workarounds.advice import advise
from compat.topics.workarounds.answers import ANSWERS
from compat.topics.workarounds.finding import Workarounds, find
from compat.topics.workarounds.records import RECORDS
from compat.topics.workarounds.upgrade import upgrade
from compat.topics.workarounds.view import say, show

TOPIC: Topic[Workarounds] = Topic(
    name="workarounds",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
    advise=advise,
    upgrade=upgrade,
)
