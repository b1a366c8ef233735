"""What one line that is typed into `edgewise chat` does: a prompt is answered, `/words` are obeyed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewise.cli.background import Stopped
from edgewise.cli.console import err, out, table
from edgewise.cli.lines import line as told
from edgewise.cli.sessions import COLUMNS, row
from edgewise.domain.errors import EdgewiseError, RequestError
from edgewise.outcomes.explain import explain
from edgewise.outcomes.plain import harmless, plain
from edgewise.sessions.trim import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewise.cli.background import Background
    from edgewise.cli.conversation import Conversation, Latest
    from edgewise.sessions import SessionStore

LISTED = 20
HELP = """\
/model [NAME]   ask this candidate, or auto, or auto:POLICY; alone: who there is
/why            explain the last decision
/offline        ask no cloud, or ask again
/local          from now on nothing of this session leaves the machine; /new ends that
/new            begin another session
/save [TITLE]   keep this session, under this title
/sessions       list what is kept
/load ID        go on with a session
/help           this
/quit           end; Ctrl-D does too
Anything else is a prompt; so is a line that begins with a space. Ctrl-C stops an answer."""


class Quit(Exception):
    """The chat is over."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Takes lines as they are typed. Answers go to standard output, all else to standard error."""

    loop: Background
    chat: Conversation
    latest: Latest
    store: SessionStore

    def take(self, line: str) -> bool:
        """Obey or answer one line; False where that went wrong, which one sentence says. Raises `Quit`."""
        try:
            if not line.startswith("/"):
                return self._answer(line.strip()) if line.strip() else True
            word, _, rest = line[1:].strip().partition(" ")
            self._words(word)(rest.strip())
        except EdgewiseError as error:
            err(f"edgewise: {plain(str(error))}")
            return False
        return True

    def _words(self, word: str) -> Callable[[str], None]:
        words: dict[str, Callable[[str], None]] = {
            "model": self._model,
            "why": self._why,
            "offline": self._offline,
            "local": self._local,
            "new": self._new,
            "save": self._save,
            "sessions": self._sessions,
            "load": self._load,
            "help": self._help,
            "quit": self._quit,
        }
        if word not in words:
            raise RequestError(f"There is no /{word[:40]}; /help lists what there is.")
        return words[word]

    def _answer(self, prompt: str) -> bool:
        shown = harmless if sys.stdout.isatty() else str
        try:
            self.loop.run(self.chat.say(prompt, lambda words: out(shown(words), end="")))
        except Stopped:
            out()
            err("Stopped.")
            return True
        out()
        story = self.latest.story
        if story is None or story.outcome is None:
            return True
        err(told(story.decision, story.outcome))
        if left_out := story.decision.evidence.get(LEFT_OUT):
            err(f"{left_out:.0f} older messages did not fit and were left out.")
        return story.outcome.status == "ok"

    def _model(self, name: str) -> None:
        if name:
            self.chat.choose(name)
        err(f"The model is {self.chat.model}; there are {', '.join(self.chat.models)}.")

    def _why(self, rest: str) -> None:
        del rest
        if self.latest.story is None:
            raise RequestError("Nothing was asked yet.")
        out(explain(self.latest.story))

    def _offline(self, rest: str) -> None:
        del rest
        self.chat.offline = not self.chat.offline
        err("Offline: no cloud is asked." if self.chat.offline else "Online: everybody may be asked.")

    def _local(self, rest: str) -> None:
        del rest
        self.chat.make_local()
        err("Local: nothing of this session leaves this machine any more.")

    def _new(self, rest: str) -> None:
        del rest
        self.chat.new()
        err(f"A new session, {self.chat.session.id}.")

    def _save(self, title: str) -> None:
        saved = self.chat.save(title or None)
        err(f"Kept as {saved.id}: {plain(saved.title)}")

    def _sessions(self, rest: str) -> None:
        del rest
        table("", COLUMNS, [row(session) for session in self.store.latest(LISTED)])

    def _load(self, which: str) -> None:
        if not which:
            raise RequestError("/load takes a session's id; /sessions lists them.")
        self.chat.load(which)
        session = self.chat.session
        held = " It is local." if session.local else ""
        err(f"{session.id}: {plain(session.title)}, {session.count} messages.{held}")

    def _help(self, rest: str) -> None:
        del rest
        err(HELP)

    def _quit(self, rest: str) -> None:
        del rest
        raise Quit
