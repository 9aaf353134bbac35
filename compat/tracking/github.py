"""A small client of GitHub's API: issues and their comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import sleep, time
from typing import Any

import requests
from requests.auth import AuthBase

from compat.errors import CommandError

ADDRESS = "https://api.github.com"

_TIMEOUT_S = 30
_TRIES = 5
# A rate limit that asks for more is left to the next run.
_LONGEST_PAUSE_S = 300
# What GitHub asks for where a rate limit names no time.
_RATE_LIMIT_PAUSE_S = 60
_LONGEST_MESSAGE = 200
_RATE_LIMITED = frozenset({requests.codes.forbidden, requests.codes.too_many_requests})


class GitHubError(CommandError):
    """GitHub did not do what it was asked to; the message says what it answered."""


@dataclass(frozen=True, kw_only=True)
class Issue:
    """An issue as it is now."""

    number: int
    title: str
    body: str
    is_open: bool


class GitHub:
    """The issues of one repository.

    What fails on the server's side, or because of a rate limit, is tried again: a request may then
    have been carried out twice.

    Args:
        repository: ``owner/name``.
        token: Of somebody who may write issues.
        address: Of the API.
    """

    def __init__(self, repository: str, token: str, address: str = ADDRESS) -> None:
        self._issues = f"{address.rstrip('/')}/repos/{repository}/issues"
        self._session = requests.Session()
        self._session.auth = _Token(token)
        self._session.headers["Accept"] = "application/vnd.github+json"
        self._session.headers["X-GitHub-Api-Version"] = "2022-11-28"

    def issues(self, label: str) -> list[Issue]:
        """All issues with a label, open and closed; no pull requests."""
        address = f"{self._issues}?labels={label}&state=all&per_page=100"
        return [_issue(each) for each in self._pages(address) if "pull_request" not in each]

    def create(self, title: str, body: str, label: str) -> Issue:
        """Open an issue.

        Raises:
            GitHubError: It did not get its label, by which it would be found again.
        """
        fields = {"title": title, "body": body, "labels": [label]}
        made, _ = self._ask("POST", self._issues, fields)
        if label not in [each["name"] for each in made["labels"]]:
            raise GitHubError(f"issue {made['number']} did not get the label {label}: close it")
        return _issue(made)

    def edit(self, number: int, **fields: str) -> None:
        self._ask("PATCH", f"{self._issues}/{number}", fields)

    def comments(self, number: int) -> list[str]:
        pages = self._pages(f"{self._issues}/{number}/comments?per_page=100")
        return [each["body"] or "" for each in pages]

    def comment(self, number: int, body: str) -> None:
        self._ask("POST", f"{self._issues}/{number}/comments", {"body": body})

    def _pages(self, address: str | None) -> Iterator[Any]:
        while address:
            items, address = self._ask("GET", address)
            yield from items

    def _ask(
        self, method: str, address: str, fields: dict[str, Any] | None = None
    ) -> tuple[Any, str | None]:
        """What was answered, and the address of the next page if there is one."""
        for attempt in range(1, _TRIES + 1):
            pause: float | None = 2**attempt
            try:
                response = self._session.request(
                    method, address, json=fields, timeout=_TIMEOUT_S, allow_redirects=False
                )
                if response.status_code in {requests.codes.ok, requests.codes.created}:
                    return response.json(), response.links.get("next", {}).get("url")
                problem = _problem(response)
                after = response.headers.get("Retry-After", "")
                if after.isdecimal():
                    pause = int(after)
                elif response.status_code in _RATE_LIMITED:
                    pause = _rate_limit_pause_s(response)
                elif response.status_code < requests.codes.server_error:
                    pause = None
            except requests.RequestException as error:
                problem = f"no answer ({type(error).__name__})"
            if pause is None or pause > _LONGEST_PAUSE_S or attempt == _TRIES:
                break
            sleep(pause)
        raise GitHubError(f"{method} {address.partition('?')[0]}: {problem}")


class _Token(AuthBase):
    """Stands in the way of what else requests would find to log in with."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _rate_limit_pause_s(refusal: requests.Response) -> float | None:
    """How long a rate limit asks to wait; None where it is no rate limit."""
    reset = refusal.headers.get("X-RateLimit-Reset", "")
    if refusal.headers.get("X-RateLimit-Remaining") == "0" and reset.isdecimal():
        return max(0.0, int(reset) - time()) + 1
    limited = refusal.status_code == requests.codes.too_many_requests
    return _RATE_LIMIT_PAUSE_S if limited or "rate limit" in refusal.text.lower() else None


def _problem(response: requests.Response) -> str:
    """What was answered, in one line."""
    try:
        said = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        said = response.reason or ""
    return f"answered {response.status_code}: {' '.join(said.split())[:_LONGEST_MESSAGE]}"


def _issue(data: Mapping[str, Any]) -> Issue:
    return Issue(
        number=data["number"],
        title=data["title"],
        body=data["body"] or "",
        is_open=data["state"] == "open",
    )
