"""`edgewise chat`, as a script and on a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.running import complaint, edgewise

from edgewise import assets
from edgewise.sessions import FILE, SessionStore

CONFIG = """
[policy]
explore = 0.0
{more}
[[candidates]]
id = "tiny"
location = "edge"
context_tokens = 400
script = {{ replies = ["Hello from the edge.", "And again."], tokens_per_s = {pace} }}
[[candidates]]
id = "giant"
location = "cloud"
script = {{ replies = ["Hello from the cloud."] }}
price = {{ input = 1.0, output = 2.0 }}
"""
LONG = "a long story of many words " * 20


def configured(folder: Path, more: str = "", pace: int = 0) -> Path:
    (folder / "edgewise.toml").write_text(CONFIG.format(more=more, pace=pace))
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return configured(tmp_path)


def chat(here: Path, *lines: str, words: tuple[str, ...] = (), rc: int = 0) -> tuple[str, str]:
    ran = edgewise("chat", *words, given="\n".join(lines).encode(), cwd=here)
    assert ran.returncode == rc, ran.stderr.decode()
    assert b"Traceback" not in ran.stderr
    return ran.stdout.decode(), ran.stderr.decode()


def store(here: Path) -> SessionStore:
    return SessionStore(here / FILE)


def test_a_conversation_is_kept_and_gone_on_with(here: Path) -> None:
    answers, told = chat(here, "hi", "", "who are you?")
    assert answers == "Hello from the edge.\nAnd again.\n"
    assert told.count("edge  tiny (simulated)") == 2
    (kept,) = store(here).latest()
    assert (kept.title, kept.count, kept.candidate) == ("hi", 4, "tiny")
    chat(here, "third", words=("--session", "last"))
    again = store(here).show(kept.id)
    assert [m.content for m in again.messages[::2]] == ["hi", "who are you?", "third"]
    assert again.messages[1].metadata["candidate"] == "tiny"
    assert again.messages[1].metadata["decision"].startswith("req_")


def test_words_are_obeyed(here: Path) -> None:
    answers, told = chat(
        here, "/model giant", "hi", "/why", "/offline", "hi", "/model auto", "hi", "/offline", "/help",
        "/save My chat", "/sessions", "/new", "/load last", "/quit", "never asked",
        rc=2,
    )  # fmt: skip
    assert answers.startswith("Hello from the cloud.\nDecision req_")
    assert "because the caller asked for it by name" in answers
    assert "edgewise: No candidate may answer this request" in told  # pinned to the cloud, and offline
    assert answers.count("Hello from the edge.") == 1
    assert "My chat" in answers
    assert "/model [NAME]" in told
    assert "My chat, 4 messages." in told
    assert "never asked" not in [m.content for m in store(here).show("last").messages]


def test_local_holds_for_good(here: Path) -> None:
    _, told = chat(here, "/local", "hi", "/model giant", "hi", rc=2)
    assert "giant: The request is declared local" in told
    kept = store(here).show("last")
    assert (kept.local, kept.count) == (True, 2)
    _, told = chat(here, "/model giant", "hi", words=("--session", kept.id), rc=2)
    assert "giant: The request is declared local" in told
    answers, told = chat(here, "/load last", "/new", "/model giant", "hi")
    assert answers == "Hello from the cloud.\n"
    assert "It is local." in told


def test_a_long_conversation_is_cut_to_the_window(here: Path) -> None:
    answers, told = chat(here, "/model tiny", *[f"{n} {LONG}" for n in range(5)], "/why")
    assert "messages_left_out" in answers
    assert "older messages did not fit and were left out." in told
    assert store(here).show("last").count == 10


@pytest.mark.parametrize("prompts", ["hash", "none"])
def test_where_no_texts_are_kept_only_what_is_saved_is(tmp_path: Path, prompts: str) -> None:
    here = configured(tmp_path, f'[store]\nprompts = "{prompts}"')
    chat(here, "hi")
    assert store(here).latest() == []
    chat(here, "hi", "/save")
    assert [s.title for s in store(here).latest()] == ["hi"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/nothing", "There is no /nothing; /help lists what there is."),
        ("/model gaint", "There is no model 'gaint'; there are auto, tiny, giant, auto:complexity"),
        ("/load ../../x", "'../../x' is no session's id"),
        ("/load none", "There is no session 'none'."),
        ("/load", "/load takes a session's id"),
        ("/why", "Nothing was asked yet."),
        ("/save", "There is nothing to save yet."),
        ("a\x00b", "NUL character"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_the_chat_goes_on(here: Path, line: str, sentence: str) -> None:
    answers, told = chat(here, line, " /hi", rc=2)
    assert f"edgewise: {sentence}" in told or sentence in told
    assert answers == "Hello from the edge.\n"


def test_bad_beginnings(here: Path) -> None:
    assert "There is no session yet." in complaint(edgewise("chat", "--session", "last", cwd=here))
    assert "no model 'x'" in complaint(edgewise("chat", "--model", "x", cwd=here))
    ran = edgewise("chat", given=b"hi\n\xff\n", cwd=here)
    assert ran.returncode == 2
    assert "Standard input, line 2 is not UTF-8 text" in ran.stderr.decode()
    assert ran.stdout == b"Hello from the edge.\n"


class Terminal:
    """A chat on a pseudo-terminal."""

    def __init__(self, here: Path) -> None:
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(here)
            os.environ["EDGEWISE_HOME"] = str(here)
            os.execv(sys.executable, [sys.executable, "-m", "edgewise.cli", "chat"])  # noqa: S606 - our own

    def type(self, text: bytes) -> None:
        os.write(self.fd, text)

    def wait(self, words: bytes, *, pressing: bytes = b"") -> None:
        """Read on until these words have come, and forget what came before.

        A key that nothing came of is pressed again: Python hears a Ctrl-C that comes after the prompt was
        printed and before it waits for a key only at the next key.
        """
        self.type(pressing)
        pressed, patience = time.monotonic(), time.monotonic() + 60
        while words not in self.seen:
            now = time.monotonic()
            assert now < patience, self.seen
            if now > pressed + 5:
                self.type(pressing)
                pressed = now
            if select.select([self.fd], [], [], 1.0)[0]:
                self.seen += os.read(self.fd, 65_536)
        self.seen = self.seen.partition(words)[2]

    def end(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    started = Terminal(configured(tmp_path, pace=4))
    yield started
    started.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # the child execs at once
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
def test_ctrl_c_stops_the_answer_and_not_the_chat(terminal: Terminal, tmp_path: Path) -> None:
    terminal.wait(b"> ")
    terminal.type(b"hi\n")
    terminal.wait(b"Hello")
    terminal.wait(b"Stopped.", pressing=b"\x03")
    terminal.wait(b"> ")
    terminal.wait(b"ends the chat.", pressing=b"\x03")
    terminal.type(b"on\n")
    terminal.wait(b"And again.")
    terminal.wait(b"> ")
    terminal.type(b"\x04")
    assert terminal.end() == 0
    kept = store(tmp_path).show("last").messages
    assert [m.content for m in kept[::2]] == ["hi", "on"]
    assert kept[1].text.startswith("Hello")
    assert kept[1].metadata["stopped"] is True
    assert "stopped" not in kept[3].metadata
    assert (tmp_path / "chat_history").read_text().splitlines() == ["hi", "on"]


@pytest.mark.slow
@pytest.mark.skipif(not assets.status("smollm2-135m").ready, reason="the embedded model is not here")
def test_with_the_embedded_model(tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(assets.path_of("smollm2-135m").parents[1])
    (tmp_path / "edgewise.toml").write_text(
        '[[candidates]]\nid = "smol"\nlocation = "edge"\nembedded = "smollm2-135m"\n'
    )
    answers, told = chat(tmp_path, "/offline", "What is the capital of France?", "And of Italy?")
    assert "Paris" in answers
    assert "Rome" in answers, "it remembers what was asked before"
    assert told.count("edge  smol") == 2
