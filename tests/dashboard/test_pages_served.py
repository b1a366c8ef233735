"""The pages as the gateway serves them: to whom, with which headers, and what their forms do."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from tests.dashboard.traffic import CONFIG, ask, begin
from tests.servers import Running, gateway

from edgewise.dashboard.http import form_of
from edgewise.dashboard.pages import pages
from edgewise.settings import hash_key, new_key

KEYS = {scope: new_key() for scope in ("admin", "inference")}
KEYED = "".join(
    f'[[server.keys]]\nname = "{scope}"\nhash = "{hash_key(key)}"\nscopes = ["{scope}"]\n'
    for scope, key in KEYS.items()
)
SCRIPT = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
HOSTILE = SCRIPT + " \x1b[2J \u202edlrow \u05e9\u05dc\u05d5\u05dd"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with gateway(tmp_path_factory.mktemp("pages"), CONFIG) as running:
        begin(running)
        yield running


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with gateway(tmp_path_factory.mktemp("keyed"), CONFIG + KEYED) as running:
        yield running


def send(
    site: Running, method: str, path: str, form: dict[str, str] | None = None, **headers: str
) -> tuple[HTTPResponse, str]:
    """One request, without following where it leads. Underscores in the names of headers are hyphens."""
    place = urlsplit(site.url).netloc
    connection = HTTPConnection(place, timeout=60)
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    body = None
    if form is not None:
        body = urlencode(form)
        said = {"content-type": "application/x-www-form-urlencoded", "origin": site.url, **said}
    connection.request(method, path, body, said)
    answer = connection.getresponse()
    told = answer.read().decode()
    connection.close()
    return answer, told


@pytest.mark.parametrize("path", ["/", *(page.path for page in pages())])
def test_every_page_has_a_title_and_may_load_nothing_from_elsewhere(site: Running, path: str) -> None:
    answer, told = send(site, "GET", path)
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert told.count("<h1>") == 1
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", told), (
        "the policy forbids these"
    )
    assert set(re.findall(r'(?:src|href|action)="((?!/|#)[^"]*)"', told)) == set(), "every address is ours"


def test_what_is_not_there_is_not_found(site: Running) -> None:
    for path in ("/nowhere", "/assets/../site.py", "/assets/site.py", "/decisions/nothing", "/now/nothing"):
        assert send(site, "GET", path)[0].status == 404
    assert send(site, "POST", "/now", {})[0].status == 405


def test_assets_are_kept_by_their_tag(site: Running) -> None:
    answer, _ = send(site, "GET", "/assets/style.css")
    assert answer.headers["content-type"].startswith("text/css")
    again, told = send(site, "GET", "/assets/style.css", if_none_match=answer.headers["etag"])
    assert (again.status, told) == (304, "")


def test_one_decision_tells_its_whole_story(site: Running) -> None:
    chosen = ask(site, "My secret is safe here.", edgewise={"privacy": "local"})
    told = send(site, "GET", f"/decisions/{chosen}")[1]
    for words in (
        "must not leave", "My secret is safe here.", "not eligible", "privacy", "Attempts on a time line",
        "Under another policy", "complexity", "propensity", "$2.00",  # the budget, among the signals
    ):  # fmt: skip
        assert words.lower() in told.lower(), words


def test_a_search_finds_what_was_asked_and_nothing_else(site: Running) -> None:
    asked = ask(site, "Of aardvarks: 100% of_them \\ say?")
    for words in ("AARDVARKS", "100%", "of_them \\"):
        told = send(site, "GET", f"/decisions?{urlencode({'q': words})}")[1]
        assert re.findall(r'id="d-([^"]+)"', told) == [asked], words
    for words in ("10_%", "nobody ever said this"):
        assert "Nothing found" in send(site, "GET", f"/decisions?{urlencode({'q': words})}")[1]
    local = send(site, "GET", "/decisions?reason=privacy")[1]
    assert "privacy" in local
    assert asked not in local
    assert asked in send(site, "GET", "/decisions?reason=%3Cscript%3E&candidate=x")[1], (
        "no value is no filter"
    )


def test_a_stored_script_is_only_text(site: Running) -> None:
    chosen = ask(site, HOSTILE, edgewise={"session": "<b>bold</b>"})
    for path in (
        f"/decisions/{chosen}",
        "/decisions",
        "/now",
        f"/decisions?{urlencode({'q': HOSTILE[:30]})}",
    ):
        told = send(site, "GET", path)[1]
        assert "<script>document" not in told
        assert "<img" not in told
        assert "<b>bold" not in told
        assert "\x1b" not in told
        assert "\u202e" not in told
        assert "&lt;script&gt;document.title" in told
    assert "\u05e9\u05dc\u05d5\u05dd" in send(site, "GET", f"/decisions/{chosen}")[1]


def test_a_text_of_a_megabyte_does_not_become_a_page_of_a_megabyte(site: Running) -> None:
    chosen = ask(site, "long " * 200_000, "grand")
    for path in (f"/decisions/{chosen}", "/decisions", "/now"):
        assert len(send(site, "GET", path)[1]) < 150_000
    answer, whole = send(site, "GET", f"/decisions/{chosen}/prompt.txt")
    assert len(whole) == 1_000_000
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"].startswith("text/plain")


def test_feedback_goes_into_the_log(site: Running) -> None:
    chosen = ask(site, "Was that good?")
    form = {"id": chosen, "thumbs": "down", "comment": "<i>no</i>"}
    answer, _ = send(site, "POST", "/decisions/feedback", form)
    assert answer.status == 303
    told = send(site, "GET", answer.headers["location"].partition("#")[0])[1]
    assert "thumbs down" in told
    assert "&lt;i&gt;no&lt;/i&gt;" in told
    _, story = site.get(f"/v1/decisions/{chosen}")
    assert [(f["source"], f["thumbs"]) for f in story["feedback"]] == [("dashboard", "down")]
    empty, said = send(site, "POST", "/decisions/feedback", {"id": chosen})
    assert empty.status == 409
    assert "Feedback says nothing" in said


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:1", "null", "", "http://[", "http://"]
)
def test_forms_of_other_sites_are_refused(site: Running, origin: str) -> None:
    chosen = ask(site, "And from elsewhere?")
    answer, _ = send(site, "POST", "/decisions/feedback", {"id": chosen, "thumbs": "up"}, origin=origin)
    assert answer.status == 403
    assert site.get(f"/v1/decisions/{chosen}")[1]["feedback"] == []


def test_a_decision_that_is_only_looked_at_is_not_logged(site: Running) -> None:
    before = site.get("/v1/decisions?limit=1")[1]["data"][0]["id"]
    body = {"messages": [{"role": "user", "content": "Only looking."}]}
    status, decision = site.post("/v1/route?record=false", body)
    assert (status, decision["prompt"]) == (200, "Only looking.")
    assert site.get("/v1/decisions?limit=1")[1]["data"][0]["id"] == before
    assert site.get(f"/v1/decisions/{decision['id']}")[0] == 404
    assert site.post("/v1/route?record=maybe", body)[0] == 400
    assert site.get(f"/v1/decisions/{site.post('/v1/route', body)[1]['id']}")[0] == 200


def test_what_happens_comes_as_an_event(site: Running) -> None:
    connection = HTTPConnection(urlsplit(site.url).netloc, timeout=60)
    connection.request("GET", "/live?at=%2Fdecisions")
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    events: list[str] = []
    seen = threading.Event()

    def listen() -> None:
        while line := answer.readline().decode():
            events.append(line)
            if "Here I come." in line:
                seen.set()
                return

    listener = threading.Thread(target=listen)
    listener.start()
    ask(site, "Here I come.")
    assert seen.wait(60), events
    listener.join(60)
    connection.close()
    for nothing in ("/nowhere", "//%5B", "http://%5B", ""):
        assert send(site, "GET", f"/live?at={nothing}")[0].status == 404


def test_without_a_key_a_browser_is_asked_for_one(keyed: Running) -> None:
    answer, _ = send(keyed, "GET", "/decisions?q=a%26b", accept="text/html")
    assert answer.status == 303
    assert answer.headers["location"] == "/login?next=%2Fdecisions%3Fq%3Da%2526b"
    assert send(keyed, "GET", "/decisions", accept="application/json")[0].status == 401
    assert send(keyed, "GET", "/live?at=/now", accept="text/event-stream")[0].status == 401
    assert send(keyed, "GET", "/v1/decisions", accept="text/html")[0].status == 401
    assert send(keyed, "GET", "/login?wrong=1&next=%22%3E%3Cscript%3E")[1].count("<script>") == 0


def logged_in(keyed: Running, to: str = "/money") -> tuple[str, str]:
    """Where the form leads, and the cookie."""
    answer, _ = send(keyed, "POST", "/login", {"key": KEYS["admin"], "next": to})
    assert answer.status == 303
    return answer.headers["location"], answer.headers["set-cookie"]


def test_a_key_gives_a_cookie_that_opens_pages_and_holds_no_key(keyed: Running) -> None:
    to, cookie = logged_in(keyed)
    assert to == "/money"
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    token = cookie.partition(";")[0]
    assert KEYS["admin"] not in token
    assert send(keyed, "GET", "/now", cookie=token)[0].status == 200
    assert send(keyed, "GET", "/v1/decisions", cookie=f"other=1; {token}")[0].status == 200
    assert send(keyed, "POST", "/logout", {}, cookie=token)[0].status == 303
    assert send(keyed, "GET", "/now", cookie=token)[0].status == 401


def test_a_cookie_that_came_by_tls_goes_by_no_other_way(keyed: Running) -> None:
    origin = keyed.url.replace("http:", "https:")  # as a browser says it to a proxy before us
    answer, _ = send(keyed, "POST", "/login", {"key": KEYS["admin"]}, origin=origin)
    assert "Secure" in answer.headers["set-cookie"].split("; ")
    assert "Secure" not in logged_in(keyed)[1]


@pytest.mark.parametrize("key", ["", "ew-wrong", KEYS["inference"]], ids=["none", "wrong", "inference"])
def test_no_other_key_does(keyed: Running, key: str) -> None:
    answer, _ = send(keyed, "POST", "/login", {"key": key, "next": "/money"})
    assert answer.headers["location"] == "/login?wrong=1&next=%2Fmoney"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "evil", "", "//[", "/\\"]
)
def test_the_way_back_leads_nowhere_else(keyed: Running, to: str) -> None:
    assert logged_in(keyed, to)[0] == "/"


def test_a_cookie_does_nothing_for_another_sites_request(keyed: Running) -> None:
    token = logged_in(keyed)[1].partition(";")[0]
    chat = {"messages": "[]"}
    for origin in ("http://evil.example", "http://127.0.0.1:1", ""):
        for path in ("/v1/chat/completions", "/decisions/feedback", "/now/acknowledge", "/logout"):
            status = send(keyed, "POST", path, chat, cookie=token, origin=origin)[0].status
            assert status == 403, (path, origin)
    assert (
        send(keyed, "POST", "/login", {"key": KEYS["admin"]}, origin="http://evil.example")[0].status == 403
    )
    own = send(keyed, "POST", "/v1/chat/completions", chat, cookie=token)[0].status
    assert own == 400, "a page of the gateway's own may ask; that body is no chat"


def test_the_dashboard_can_be_turned_off(tmp_path_factory: pytest.TempPathFactory) -> None:
    config = f"[server]\ndashboard = false\n{CONFIG}"
    with gateway(tmp_path_factory.mktemp("off"), config) as running:
        assert send(running, "GET", "/")[0].status == 404
        assert send(running, "GET", "/login")[0].status == 404


def test_whoever_looks_does_not_keep_the_gateway_from_ending(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with gateway(tmp_path_factory.mktemp("ending"), f"[server]\ndrain_s = 3000\n{CONFIG}") as running:
        connection = HTTPConnection(urlsplit(running.url).netloc, timeout=120)
        connection.request("GET", "/live?at=%2Fdecisions")
        answer = connection.getresponse()
        assert answer.readline().startswith(b"retry:")
        running.process.terminate()
        answer.read()  # the events end, whole
        assert running.process.wait(120) == 0
        connection.close()


def test_half_a_form_does_nothing() -> None:
    pieces: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"bundle=v1", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return pieces.pop(0)

    headers = [
        (b"host", b"here"),
        (b"origin", b"http://here"),
        (b"content-type", b"application/x-www-form-urlencoded"),
    ]

    async def read() -> None:
        with pytest.raises(asyncio.CancelledError):
            await form_of({"headers": headers}, receive)

    asyncio.run(read())
