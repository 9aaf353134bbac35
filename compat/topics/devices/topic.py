"""The topic."""

from __future__ import annotations

from compat.topics.devices.answers import ANSWERS
from compat.topics.devices.finding import Devices, find
from compat.topics.devices.records import RECORDS
from compat.topics.devices.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Devices] = Topic(
    name="devices", heading="GPU", records=RECORDS, answers=ANSWERS, find=find, say=say, show=show
)
