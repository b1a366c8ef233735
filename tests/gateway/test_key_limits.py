"""What a key may ask for: requests, tokens, money; what clients read of it; who goes first."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.error import HTTPError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway

from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.errors import LimitReached, RequestError
from edgewise.domain.requests import Request
from edgewise.execution import Answer
from edgewise.gateway.batches import AT_ONCE, together
from edgewise.gateway.callers import Caller
from edgewise.gateway.chat_body import chat_of, parse_chat
from edgewise.gateway.classify_body import requests_for
from edgewise.gateway.limits import Accounts, Bucket, said
from edgewise.monitors.clock import SettableClock
from edgewise.settings import ServerKey, hash_key, new_key

if TYPE_CHECKING:
    from edgewise.router import Router

CHAT = {"model": "giant", "messages": [{"role": "user", "content": "Hi"}]}
FEW, BROKE, FREE = new_key(), new_key(), new_key()
KEYS = f"""
[policy]
explore = 0.0
[[server.keys]]
name = "few"
hash = "{hash_key(FEW)}"
requests_per_minute = 2
tokens_per_minute = 100000
[[server.keys]]
name = "broke"
hash = "{hash_key(BROKE)}"
usd_per_day = 0.00001
[[server.keys]]
name = "free"
hash = "{hash_key(FREE)}"
priority = "low"
"""


@pytest.fixture(scope="module")
def keyed(shared_mock: Mock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("keyed")
    with gateway(home, two_candidates(shared_mock, KEYS), env={"GIANT_KEY": "sk-canary"}) as running:
        yield running


def asked(running: Running, key: str, body: Any = CHAT) -> tuple[int, dict[str, str], Any]:
    request = urllib.request.Request(
        running.url + "/v1/chat/completions", json.dumps(body).encode(), {"authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, dict(answer.headers), json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, dict(error.headers), json.loads(error.read())


def test_requests_a_minute(keyed: Running) -> None:
    left = []
    for _ in range(2):
        status, headers, _ = asked(keyed, FEW)
        assert status == 200
        assert headers["x-ratelimit-limit-requests"] == "2"
        assert headers["x-ratelimit-limit-tokens"] == "100000"
        assert re.fullmatch(r"[\d.]+m?s", headers["x-ratelimit-reset-requests"])
        left.append(headers["x-ratelimit-remaining-requests"])
    assert left == ["1", "0"]
    status, headers, body = asked(keyed, FEW)
    assert status == 429
    assert body["error"]["type"] == "rate_limit_error"
    assert body["error"]["code"] == "rate_limit_exceeded"
    assert "The key 'few' may make 2 requests a minute" in body["error"]["message"]
    assert 0 < int(headers["retry-after"]) <= 30
    assert int(headers["retry-after-ms"]) <= 30_000
    assert headers["x-ratelimit-remaining-requests"] == "0"


def test_money_a_day_is_remembered_across_a_restart(
    keyed: Running, shared_mock: Mock, tmp_path: Path
) -> None:
    config = two_candidates(shared_mock, KEYS)
    statuses = list[int]()
    for _ in range(2):
        with gateway(tmp_path, config, env={"GIANT_KEY": "sk-canary"}) as running:
            statuses = [asked(running, BROKE)[0] for _ in range(2)]
            status, headers, body = asked(running, BROKE)
            assert (status, body["error"]["code"]) == (429, "insufficient_quota")
            assert headers["x-should-retry"] == "false"
            assert 0 < int(headers["retry-after"]) <= 86_400
            assert asked(running, FREE)[0] == 200
    assert statuses == [429, 429]  # the second time, from the first request on


def test_a_key_without_limits_hears_nothing_of_them(keyed: Running) -> None:
    status, headers, _ = asked(keyed, FREE)
    assert status == 200
    assert not [name for name in headers if name.startswith("x-ratelimit")]


def test_the_decision_names_the_key_and_never_holds_it(keyed: Running) -> None:
    _, headers, _ = asked(keyed, FREE)
    status, decision = keyed.get(
        f"/v1/decisions/{headers['x-request-id']}", {"authorization": f"Bearer {FREE}"}
    )
    assert (status, decision["key"]) == (200, "free")
    assert FREE not in json.dumps(decision)


def accounts(clock: SettableClock, **limits: Any) -> Accounts:
    return Accounts([ServerKey("ann", hash_key("x"), **limits)], clock=clock.elapsed)


def test_tokens_are_set_aside_and_settled_by_what_was_used() -> None:
    clock = SettableClock()
    books = accounts(clock, tokens_per_minute=600)
    account = books.by_name["ann"]

    def left() -> str:
        return dict(account.headers())[b"x-ratelimit-remaining-tokens"].decode()

    request = chat_of("Hi", {"max_tokens": 400})
    account.reserve(request)
    assert int(left()) == 600 - 400 - request.needs.input_tokens
    with pytest.raises(LimitReached, match="may use 600 tokens a minute"):
        account.reserve(chat_of("Hi", {"max_tokens": 400}))
    decision = _decision(request.id, "ann")
    books.observe(decision)
    books.observe(_outcome(request.id, 10, 90))
    assert left() == "500"
    account.settle(request.id)  # the end of the request: nothing is left to settle
    assert left() == "500"
    failed = chat_of("Hi", {"max_tokens": 300})
    account.reserve(failed)
    account.settle(failed.id)  # it left no record
    assert left() == "500"
    clock.advance(5.0)
    assert left() == "550"
    account.reserve(chat_of("Hi", {"max_tokens": 9}))  # all is well again


def test_a_shadow_is_not_the_clients_bill() -> None:
    books, request = accounts(SettableClock(), usd_per_day=1.0), chat_of("Hi")
    books.by_name["ann"].reserve(request)
    books.observe(_decision("req_1", "ann", shadow_of=request.id))
    books.observe(_outcome("req_1", 1, 1, cost_usd=5.0))
    books.by_name["ann"].admit()
    books.observe(_decision(request.id, "ann"))
    books.observe(_outcome(request.id, 1, 1, cost_usd=5.0))
    with pytest.raises(LimitReached, match=r"has spent its \$1 of today"):
        books.by_name["ann"].admit()


def test_decisions_that_nobody_carries_out_leave_nothing_behind() -> None:
    books = accounts(SettableClock(), usd_per_day=1.0, tokens_per_minute=100)
    for number in range(100):
        books.observe(_decision(f"req_{number}", "ann"))  # as POST /v1/route records them
    assert not books._under_way


def test_no_number_of_tokens_is_too_large_to_give_back() -> None:
    account = accounts(SettableClock(), tokens_per_minute=600).by_name["ann"]
    for most in (2**31, 2**62, 10**400):
        request = chat_of("Hi", {"max_tokens": most}) if most < 2**63 else _asking_for(most)
        account.reserve(request)
        account.settle(request.id)
        assert dict(account.headers())[b"x-ratelimit-remaining-tokens"] == b"600"


@given(
    st.integers(1, 1000),
    st.lists(st.tuples(st.floats(0, 300), st.floats(0.1, 1500)), max_size=60),
)
def test_no_more_leaves_a_bucket_than_went_in(size: int, takes: list[tuple[float, float]]) -> None:
    now, taken, bucket = 0.0, 0.0, Bucket(size, 0.0)
    for pause, amount in takes:
        now += pause
        wait = bucket.take(amount, now)
        assert wait >= 0.0
        if wait == 0.0:
            taken += amount
        else:
            assert bucket.take(amount, now) > 0.0  # the answer does not change by asking
            assert bucket.take(amount, now + wait + 1e-6) == 0.0  # and it was honest
            now += wait + 1e-6
            taken += amount
    biggest = max((amount for _, amount in takes), default=0.0)
    assert taken <= size * (1 + now / 60) + max(biggest, size) + 1e-6


@pytest.mark.parametrize(
    ("seconds", "spelled"), [(0.0, "0ms"), (0.0119, "12ms"), (1.5, "1.5s"), (59.0, "59s"), (150.0, "2m30s")]
)
def test_times_as_openai_spells_them(seconds: float, spelled: str) -> None:
    assert said(seconds) == spelled


@pytest.mark.parametrize(
    ("own", "asked_for", "given"),
    [
        ("normal", None, "normal"),
        ("normal", "low", "low"),
        ("normal", "high", "normal"),
        ("high", None, "high"),
        ("high", "low", "low"),
        ("low", "high", "low"),
    ],
)
def test_a_request_never_goes_before_its_key(own: Any, asked_for: str | None, given: str) -> None:
    assert Caller("ann", priority=own).at_most(asked_for) == given


def test_without_keys_everybody_may_say_how_urgent_it_is() -> None:
    assert chat_of("Hi", {}, {"priority": "high"}).wishes.priority == "high"
    assert chat_of("Hi", {"edgewise": {"priority": "low"}}).wishes.priority == "low"
    assert chat_of("Hi").wishes.priority == "normal"
    with pytest.raises(RequestError, match="The priority 'now' does not exist"):
        chat_of("Hi", {}, {"priority": "now"})


def _decision(name: str, key: str, shadow_of: str | None = None) -> Decision:
    return Decision(
        id=name, at=0.0, chosen="a", location="edge", policy="p", reason="pinned", propensity=1.0,
        odds={"a": 1.0}, shortlist=("a",), key=key, shadow_of=shadow_of,
    )  # fmt: skip


def _outcome(name: str, came: int, went: int, cost_usd: float = 0.0) -> Outcome:
    return Outcome(
        decision_id=name, at=time.time(), status="ok", candidate="a", latency_s=1.0, input_tokens=came,
        output_tokens=went, cost_usd=cost_usd, cost_state="billed",
    )  # fmt: skip


def _asking_for(most: int) -> Request:
    body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": most}
    return parse_chat(json.dumps(body).encode(), {})


def test_a_batch_of_texts_is_set_aside_as_a_whole_or_not_at_all() -> None:
    clock = SettableClock()
    key = ServerKey("few", hash_key(FEW), tokens_per_minute=100)
    account = Accounts([key], clock=clock.elapsed).by_name["few"]
    first = requests_for(["a" * 240], "")
    account.reserve(*first)
    more = requests_for(["b" * 40, "c" * 200], "")
    with pytest.raises(LimitReached, match="this request needs about 60, which are there in 12s"):
        account.reserve(*more)
    assert not any(account.awaits(request.id) for request in more)
    account.settle(first[0].id, used=20)
    account.reserve(*more)
    assert all(account.awaits(request.id) for request in more)


def test_a_batch_of_texts_ends_where_the_money_does() -> None:
    books = accounts(SettableClock(), usd_per_day=1.0)
    account, texts = books.by_name["ann"], requests_for(["a"] * 500, "")

    class Paying:
        async def route(self, request: Request) -> Answer:
            decision, outcome = _decision(request.id, "ann"), _outcome(request.id, 1, 0, cost_usd=0.01)
            await asyncio.sleep(0)
            books.observe(decision)
            books.observe(outcome)
            return Answer(decision, outcome=outcome)

    account.reserve(*texts)
    found = asyncio.run(together(cast("Router", Paying()), texts, account.check_money))
    refused = [one for one in found if isinstance(one, LimitReached)]
    assert 500 - len(refused) <= 100 + AT_ONCE, "what was under way may exceed it, and nothing else"
    assert "has spent its $1 of today" in str(refused[0])
    assert found[-1] is refused[-1], "in the order of the texts"
