"""Every question has one home: probes, records, answers and views fit together."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tests.topics import contract

TREE = contract.Tree(ROOT)


def test_every_topic_is_written() -> None:
    assert TREE.written == TREE.topics


def test_every_probe_belongs_to_one_topic() -> None:
    assert TREE.probes
    assert list(contract.check_probes(TREE)) == []


def test_the_registry_has_every_topic() -> None:
    assert len(TREE.topics) > 10
    assert list(contract.check_registry(TREE)) == []


@pytest.mark.parametrize("topic", TREE.written)
def test_a_topic_fits_its_probes(topic: str) -> None:
    # How its checks end is all that a suite says.
    assert contract.records(TREE, topic) or topic == "suites"
    assert list(contract.check_topic(TREE, topic)) == []
