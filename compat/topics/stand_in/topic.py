"""The topic."""

from __future__ import annotations

from compat.topics.stand_in.advice import advise
from compat.topics.stand_in.answers import ANSWERS
from compat.topics.stand_in.finding import StandIn, find
from compat.topics.stand_in.records import RECORDS
from compat.topics.stand_in.upgrade import upgrade
from compat.topics.stand_in.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[StandIn] = Topic(
    name="stand_in",
    heading="ShapeEnv stand-in",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
    advise=advise,
    upgrade=upgrade,
)
