"""The topic."""

from __future__ import annotations

from compat.topics.donation.answers import ANSWERS
from compat.topics.donation.finding import Donation, find
from compat.topics.donation.records import RECORDS
from compat.topics.donation.view import draw, say, show
from compat.topics.topic import Topic

TOPIC: Topic[Donation] = Topic(
    name="donation",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
    draw=draw,
)
