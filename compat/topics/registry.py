"""All topics, in the order in which the report tells them."""

from __future__ import annotations

from typing import Any

from compat.topics.artifacts.topic import TOPIC as ARTIFACTS
from compat.topics.caches.topic import TOPIC as CACHES
from compat.topics.corpus.topic import TOPIC as CORPUS
from compat.topics.cost.topic import TOPIC as COST
from compat.topics.devices.topic import TOPIC as DEVICES
from compat.topics.donation.topic import TOPIC as DONATION
from compat.topics.engine.topic import TOPIC as ENGINE
from compat.topics.failing.topic import TOPIC as FAILING
from compat.topics.gates.topic import TOPIC as GATES
from compat.topics.inputs.topic import TOPIC as INPUTS
from compat.topics.machines.topic import TOPIC as MACHINES
from compat.topics.parity.topic import TOPIC as PARITY
from compat.topics.reach.topic import TOPIC as REACH
from compat.topics.settings.topic import TOPIC as SETTINGS
from compat.topics.stand_in.topic import TOPIC as STAND_IN
from compat.topics.subjects.topic import TOPIC as SUBJECTS
from compat.topics.suites.topic import TOPIC as SUITES
from compat.topics.surface.topic import TOPIC as SURFACE
from compat.topics.topic import Topic
from compat.topics.tracing_context.topic import TOPIC as TRACING_CONTEXT
from compat.topics.training.topic import TOPIC as TRAINING
from compat.topics.workarounds.topic import TOPIC as WORKAROUNDS

TOPICS: tuple[Topic[Any], ...] = (
    SUBJECTS,
    ENGINE,
    SUITES,
    GATES,
    DONATION,
    TRACING_CONTEXT,
    INPUTS,
    STAND_IN,
    WORKAROUNDS,
    PARITY,
    CORPUS,
    TRAINING,
    FAILING,
    ARTIFACTS,
    CACHES,
    SETTINGS,
    MACHINES,
    SURFACE,
    REACH,
    COST,
    DEVICES,
)
