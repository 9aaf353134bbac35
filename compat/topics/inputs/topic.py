"""The topic."""

from __future__ import annotations

from compat.topics.inputs.answers import ANSWERS
from compat.topics.inputs.finding import ContextInputs, find
from compat.topics.inputs.records import RECORDS
from compat.topics.inputs.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[ContextInputs] = Topic(
    name="inputs",
    heading="Inputs inside Dynamo's context",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
)
