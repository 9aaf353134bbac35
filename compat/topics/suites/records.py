"""A user's command records nothing: how its checks end is all that they say."""

from __future__ import annotations

from collections.abc import Mapping

RECORDS: Mapping[str, type] = {}
