"""Sessions over HTTP, through a gateway that dies and is started again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conftest import two_candidates
from tests.servers import Mock, Running, gateway

from edgewise.sessions import FILE, SessionStore

CHAT = "/v1/chat/completions"
ANGRY = "I am furious and disgusted, this is terrible, unacceptable; get me a manager, a supervisor, " * 3
SESSION = {"x-edgewise-session": "customer/42"}
TOOL_LOOP = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c1", "content": ANGRY},
]  # fmt: skip


def body(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "auto", "messages": [{"role": "user", "content": text}], **more}


def asked(running: Running, mock: Mock, said: dict[str, Any], headers: dict[str, str]) -> str:
    """The model that answered."""
    status, answer = running.post(CHAT, said, headers)
    assert status == 200, answer
    return str(mock.calls[-1].json["model"])


def test_once_local_always_local_and_after_the_process_was_killed(mock: Mock, tmp_path: Path) -> None:
    with gateway(tmp_path, two_candidates(mock), env={"GIANT_KEY": "sk-x"}) as running:
        assert asked(running, mock, body(ANGRY), SESSION) == "giant-9"
        assert asked(running, mock, body("hi"), {**SESSION, "x-edgewise-privacy": "local"}) == "tiny-1"
        assert asked(running, mock, body(ANGRY), SESSION) == "tiny-1"
        running.process.kill()
        running.process.wait()
    with gateway(tmp_path, two_candidates(mock), env={"GIANT_KEY": "sk-x"}) as running:
        assert asked(running, mock, body(ANGRY), SESSION) == "tiny-1"
        assert asked(running, mock, body(ANGRY), {"x-edgewise-session": "another"}) == "giant-9"
        status, answer = running.post(CHAT, body("hi", model="giant"), SESSION)
        assert status == 400
        assert "declared local" in answer["error"]["message"]
        told = running.get("/v1/decisions?limit=1")[1]["data"][0]
        assert told["privacy"] == "local"


def test_a_session_stays_in_a_tool_loop_and_moves_after_it(mock: Mock, tmp_path: Path) -> None:
    with gateway(tmp_path, two_candidates(mock), env={"GIANT_KEY": "sk-x"}) as running:
        made = SessionStore(tmp_path / FILE).create("about a tool")
        session = {"x-edgewise-session": made.id}
        dice = body("x", model="auto:random")
        first = asked(running, mock, dice, session)
        assert {asked(running, mock, dice, session) for _ in range(12)} == {first}
        told = running.get("/v1/decisions?limit=1")[1]["data"][0]
        assert (told["reason"], told["propensity"]) == ("session", 1.0)
        assert asked(running, mock, body(ANGRY), session) == "giant-9"
        loop = {"model": "auto", "messages": [{"role": "user", "content": "hi"}, *TOOL_LOOP[1:]]}
        assert asked(running, mock, loop, session) == "giant-9"
        assert running.get("/v1/decisions?limit=1")[1]["data"][0]["reason"] == "session"
        assert asked(running, mock, body("hi"), session) == "tiny-1"


def test_a_conversation_is_cut_only_where_that_is_asked(mock: Mock, tmp_path: Path) -> None:
    long = [{"role": "user", "content": ANGRY}, {"role": "assistant", "content": ANGRY}] * 150
    said = {"model": "tiny", "messages": [*long, {"role": "user", "content": "And now?"}]}
    with gateway(tmp_path, two_candidates(mock), env={"GIANT_KEY": "sk-x"}) as running:
        status, answer = running.post(CHAT, said)
        assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")
        assert asked(running, mock, {**said, "edgewise": {"trim": True}}, {}) == "tiny-1"
        sent = mock.calls[-1].json
        told = running.get("/v1/decisions?limit=1")[1]["data"][0]
        assert told["evidence"]["messages_left_out"] == 301 - len(sent["messages"])
        assert sent["messages"][-1] == {"role": "user", "content": "And now?"}
        assert "edgewise" not in sent
