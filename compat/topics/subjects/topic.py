"""The topic."""

from __future__ import annotations

from compat.topics.subjects.answers import ANSWERS
from compat.topics.subjects.finding import Subjects, find
from compat.topics.subjects.records import RECORDS
from compat.topics.subjects.upgrade import upgrade
from compat.topics.subjects.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Subjects] = Topic(
    name="subjects",
    heading="What people ship",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
    upgrade=upgrade,
)
