"""Prompts made by a model: batch after batch through a pydantic-ai agent, each of them once.

Whatever `Model` pydantic-ai knows can make them; `edgewise prompts generate` hands in a configured candidate
(`edgewise.integrations.pydantic_ai.RoutedModel`). Needs the extra `pydantic-ai`.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic_ai import Agent, NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.exceptions import AgentRunError, ModelAPIError, UserError

from edgewise.domain.errors import EdgewiseError, RequestError, SettingsError, UpstreamError
from edgewise.learning.prompts.asking import INSTRUCTIONS, asked
from edgewise.learning.prompts.files import Prompt
from edgewise.learning.prompts.kinds import USUAL, Kind, quotas
from edgewise.learning.prompts.texts import problem_of
from edgewise.learning.prompts.tidy import side_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings

    from edgewise.learning.prompts.growing import Growing

Structure: TypeAlias = Literal["native", "tool", "prompted"]
TOKENS_A_PROMPT = 120
LONGEST = 4_000  # characters; a longer text is no prompt but a model that did not stop
NUMBERED = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*\u2022])\s+")
FAILURES = 3  # in a row, after which a model is not asked any more


@dataclass
class Instructions:
    """Example instructions, each a text of its own."""

    instructions: list[str]


OUTPUTS: dict[Structure, Any] = {"native": NativeOutput, "tool": ToolOutput, "prompted": PromptedOutput}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many prompts of which kinds. Raises `RequestError` for a number that makes no sense.

    A request asks for `batch` prompts, `concurrency` of them are under way at a time. A kind is given up
    after `patience` requests in a row that brought nothing new. `structure` is how the model is held to
    its form: by a JSON schema, by a tool, or by asking for it. `test` is the share kept aside for testing.
    """

    count: int
    kinds: tuple[Kind, ...] = USUAL
    source: str = "generated"
    structure: Structure = "native"
    batch: int = 10
    concurrency: int = 4
    patience: int = 5
    temperature: float = 0.9
    test: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("count", "batch", "concurrency", "patience"):
            if (given := getattr(self, name)) < 1:
                raise RequestError(
                    f"--{'number' if name == 'count' else name} must be at least 1, found {given}."
                )
        if not 0 <= self.test <= 1:
            raise RequestError(f"--test is a share from 0 to 1, found {self.test:g}.")
        if twice := [name for name, count in Counter(kind.name for kind in self.kinds).items() if count > 1]:
            raise RequestError(f"The kind '{twice[0]}' is described twice; once will do.")


async def generate(
    model: Model[Any], file: Growing, wanted: Wanted, told: Callable[[int], None] = lambda _: None
) -> dict[str, int]:
    """Let `model` write until the file holds what is wanted; how many prompts of each kind are missing.

    What the file holds already counts, so that the same call goes on where one was cut off. `told` gets the
    number of prompts after each batch. Raises `UpstreamError` where the model cannot be asked any more.
    """
    return await _Making(model, file, wanted, told).run()


@dataclass
class _Making:
    """The state of one run."""

    model: Model[Any]
    file: Growing
    wanted: Wanted
    told: Callable[[int], None]
    turns: int = 0
    failures: int = 0
    barren: Counter[str] = field(default_factory=Counter[str])
    shrunk: Counter[str] = field(default_factory=Counter[str])

    def __post_init__(self) -> None:
        self.quotas = quotas(self.wanted.kinds, self.wanted.count)
        self.turns = len(self.file)  # other topics than those of the run that this one goes on from
        self.agent = Agent(
            self.model,
            output_type=OUTPUTS[self.wanted.structure](Instructions),
            instructions=INSTRUCTIONS,
            retries=1,
        )

    async def run(self) -> dict[str, int]:
        room = asyncio.Semaphore(self.wanted.concurrency)
        while requests := list(self._requests()):
            try:
                async with asyncio.TaskGroup() as group:
                    for kind, count in requests:
                        group.create_task(self._fill(kind, count, room))
            except ExceptionGroup as failed:
                raise failed.exceptions[0] from None
        return {name: self._missing(name) for name in self.quotas if self._missing(name)}

    def _missing(self, kind: str) -> int:
        return max(0, self.quotas[kind] - self.file.kinds[kind])

    def _is_dry(self, kind: str) -> bool:
        return self.barren[kind] >= self.wanted.patience

    def _requests(self) -> Iterator[tuple[Kind, int]]:
        """One round: what is missing, in batches. Others follow where some of it turns out to be known."""
        for kind in self.wanted.kinds:
            missing = 0 if self._is_dry(kind.name) else self._missing(kind.name)
            size = max(1, self.wanted.batch >> self.shrunk[kind.name])
            rounds = ceil(missing / size)
            for number in range(rounds):
                yield kind, min(size, missing - number * size)

    async def _fill(self, kind: Kind, count: int, room: asyncio.Semaphore) -> None:
        async with room:
            if self._is_dry(kind.name):
                return
            self.turns += 1
            texts = await self._ask(kind, count, self.turns)
            before = self._missing(kind.name)
            taken = self.file.add([self._prompt(text, kind) for text in texts][:before])
            self.barren[kind.name] = 0 if taken else self.barren[kind.name] + 1
            self.told(len(self.file))

    async def _ask(self, kind: Kind, count: int, turn: int) -> list[str]:
        """What the model wrote; nothing where it did not keep to the form, and a smaller batch next time."""
        known = self.file.texts.get(kind.name, ())
        prompt = asked(kind, count, known, f"{self.wanted.seed}:{kind.name}:{turn}")
        settings: ModelSettings = {
            "temperature": self.wanted.temperature,
            "max_tokens": TOKENS_A_PROMPT * (count + 1),
        }
        try:
            written = (await self.agent.run(prompt, model_settings=settings)).output.instructions
        except UserError as error:
            raise SettingsError(f"No prompts can be made: {error}") from error
        except ModelAPIError as error:
            self.failures += 1
            if self.failures >= FAILURES:
                why = error.__cause__ if isinstance(error.__cause__, EdgewiseError) else error.message
                raise UpstreamError(f"No more prompts can be made: {why}") from error
            return []
        except AgentRunError:
            self.shrunk[kind.name] += 1
            return []
        self.failures = 0
        texts = (NUMBERED.sub("", text).strip() for text in written)
        return [text for text in texts if _is_usable(text)]

    def _prompt(self, text: str, kind: Kind) -> Prompt:
        return Prompt(
            prompt=text, kind=kind.name, split=side_of(text, self.wanted.test), source=self.wanted.source
        )


def _is_usable(text: str) -> bool:
    """Whether somebody could have typed this: a model that lost its way writes single words, or no end."""
    return len(text) <= LONGEST and problem_of(text) is None and any(c.isspace() for c in text)
