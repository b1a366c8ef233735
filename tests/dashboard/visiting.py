"""Pages and their buttons, over HTTP and without a browser."""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.servers import Running


def page(site: Running, path: str) -> str:
    """A page's HTML. Raises HTTPError for another status than 200."""
    with urlopen(site.url + path) as answer:
        said: str = answer.read().decode()
    return said


def act(site: Running, path: str, **form: str) -> tuple[int, str]:
    """What a button of the site itself does: the status, and the page that follows."""
    try:
        with urlopen(Request(site.url + path, urlencode(form).encode(), {"origin": site.url})) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
