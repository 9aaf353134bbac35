"""Which private names and parameters the interface leans on."""

from __future__ import annotations

import pytest

from compat.interface.surface import PRIVATE_NAMES, PrivateName, accepts, describe
from compat.probes.conftest import Record
from compat.topics.surface.records import Name

BY_PATH = {name.path: name for name in PRIVATE_NAMES}


@pytest.mark.parametrize("name", BY_PATH)
def test_name(name: str, record: Record) -> None:
    """The private name exists and takes the parameters that the interface always passes.

    A name that moved is an ImportError in every downstream; a changed signature is a TypeError.
    """
    private: PrivateName = BY_PATH[name]
    try:
        found = private.resolve()
    except (ImportError, AttributeError) as error:
        record(Name(there=False, signature="", refused=()))
        pytest.fail(f"{private.path} is gone: {error}")
    refused = tuple(each for each in private.parameters if not accepts(found, each))
    record(Name(there=True, signature=describe(found), refused=refused))
    assert not refused, f"{private.path} no longer takes {', '.join(refused)}"
