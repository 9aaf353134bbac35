"""The topic."""

from __future__ import annotations

from compat.topics.topic import Topic
from compat.topics.tracing_context.advice import advise
from compat.topics.tracing_context.answers import ANSWERS
from compat.topics.tracing_context.finding import TracingContext, find
from compat.topics.tracing_context.records import RECORDS
from compat.topics.tracing_context.upgrade import upgrade
from compat.topics.tracing_context.view import say, show

TOPIC: Topic[TracingContext] = Topic(
    name="tracing_context",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
    advise=advise,
    upgrade=upgrade,
)
