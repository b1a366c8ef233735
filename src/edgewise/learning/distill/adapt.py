"""Adapting: the base model reads domain text without labels, by guessing words that are hidden from it.

Source: Devlin et al., "BERT", NAACL 2019 (masked language modelling); Gururangan et al., "Don't stop
pretraining", ACL 2020 (on domain text, before the task).
"""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.domain.errors import AssetError, TableError
from edgewise.domain.keys import prompt_key
from edgewise.learning.distill.finetune import LARGEST_NORM, batched, warmed
from edgewise.learning.distill.network import Module, backbone_of, padded, torch
from edgewise.upstreams.classifier.runtime import open_tokenizer, token_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from edgewise.learning.distill.options import Adapting, DistillOptions

    Tokens = Sequence[Sequence[int]]

LEAST = 100  # texts; fewer teach nothing
HIDDEN, SWAPPED = 0.8, 0.9  # of those to be guessed: hidden, swapped for another token, left as they are
SEEDS = 2**32
MASKS = ("[MASK]", "<mask>")


def adapt(
    base: str, texts: Sequence[str], options: DistillOptions, folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Train and write a base model into `folder`: `config.json`, weights, `tokenizer.json`.

    Gives back the perplexity on texts kept aside, with the backbone as it was and after each epoch; the best
    is kept, and that may be the backbone as it was. Raises `TableError` for too few texts, `AssetError` for a
    base that knows no mask.
    """
    unique = list({prompt_key(text): text for text in texts if text.strip()}.values())
    if len(unique) < LEAST:
        raise TableError(
            f"There are {len(unique):,} different texts without labels, too few to adapt to; "
            f"give {LEAST} at least, and better some thousands, or leave the stage out."
        )
    how = options.adapting
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    reading, held_out = _split(unique, how.held_out, options.seed)
    source = Path(base) / "tokenizer.json"
    hiding = _hiding(open_tokenizer(source, options.most_tokens), how.masked, base)
    work = _Adapting(_Guesser(backbone_of(base)), hiding, how, options.seed)
    tokens, kept = hiding.tokens(reading), hiding.tokens(held_out)
    work.fit_head(tokens)
    found = [work.perplexity(kept)]
    best = _copied(work.guesser.backbone)
    say(f"adapt, as it was: perplexity {found[0]:.1f} on {len(kept):,} texts kept aside")
    steering = work.steering(len(tokens))
    for epoch in range(1, how.epochs + 1):
        work.epoch(tokens, epoch, steering)
        found.append(work.perplexity(kept))
        say(f"adapt, epoch {epoch}: perplexity {found[-1]:.1f}")
        if found[-1] <= min(found):
            best = _copied(work.guesser.backbone)
    work.guesser.backbone.load_state_dict(best)
    work.guesser.backbone.save_pretrained(str(folder))
    shutil.copyfile(source, folder / "tokenizer.json")
    perplexity = [round(value, 4) for value in found]
    return {"texts": len(tokens), "held_out": len(kept), "perplexity": perplexity}


def _split(texts: Sequence[str], share: float, seed: int) -> tuple[list[str], list[str]]:
    ranked = sorted(texts, key=lambda text: sha256(f"{seed}:{prompt_key(text)}".encode()).digest())
    aside = max(1, round(share * len(ranked)))
    return ranked[aside:], ranked[:aside]


@dataclass(frozen=True, slots=True)
class _Hiding:
    """Which tokens are to be guessed, and what stands in their place."""

    tokenizer: Any
    mask: int
    markers: tuple[int, ...]
    words: int
    share: float

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Each text's ids; those that hold nothing but markers are left out."""
        return [ids for ids in token_ids(self.tokenizer, texts) if not set(ids) <= set(self.markers)]

    def hidden(self, tokens: Tokens, lots: np.random.Generator) -> tuple[Any, Any, Any, Any]:
        """(n, t) ids with some hidden, the mask, where a guess is asked for, and (k,) what was there."""
        ids, mask = padded(tokens)
        given: NDArray[np.int64] = ids.numpy().copy()
        kept: NDArray[np.bool_] = mask.numpy().astype(bool)
        free = kept & ~np.isin(given, self.markers)
        asked = free & (lots.random(given.shape) < self.share)
        if not asked.any():  # of short texts, a batch may have none by chance
            asked.flat[int(lots.choice(np.flatnonzero(free)))] = True
        fate, others = lots.random(given.shape), lots.integers(0, self.words, given.shape)
        given[asked & (fate < HIDDEN)] = self.mask
        swapped = asked & (fate >= HIDDEN) & (fate < SWAPPED)
        given[swapped] = others[swapped]
        where = torch.from_numpy(asked)
        return torch.from_numpy(given), mask, where, ids[where]


def _hiding(tokenizer: Any, share: float, base: str) -> _Hiding:
    mask = next((found for name in MASKS if (found := tokenizer.token_to_id(name)) is not None), None)
    if mask is None:
        raise AssetError(
            f"{base} cannot be adapted: its tokenizer has no mask ({' or '.join(MASKS)}); "
            "leave the stage out, or take another base."
        )
    markers = (mask, *tokenizer.encode("").ids)
    return _Hiding(tokenizer, mask, markers, int(tokenizer.get_vocab_size()), share)


class _Guesser(Module):
    """A backbone under a head that guesses tokens by the backbone's own embeddings."""

    def __init__(self, backbone: Any) -> None:
        Module.__init__(self)
        self.backbone = backbone
        words, size = backbone.get_input_embeddings().weight.shape
        self.turn = torch.nn.Linear(backbone.config.hidden_size, size)
        self.norm = torch.nn.LayerNorm(size)
        self.bias = torch.nn.Parameter(torch.zeros(words))

    def vectors(self, ids: Any, mask: Any, where: Any) -> Any:
        """(k, hidden) of the places where a guess is asked for."""
        return self.backbone(input_ids=ids, attention_mask=mask).last_hidden_state[where]

    def guesses(self, vectors: Any) -> Any:
        """(k, words) logits."""
        turned = self.norm(torch.nn.functional.gelu(self.turn(vectors)))
        return turned @ self.backbone.get_input_embeddings().weight.T + self.bias

    @property
    def head(self) -> list[Any]:
        """What knows nothing at first; the embeddings belong to the backbone."""
        return [*self.turn.parameters(), *self.norm.parameters(), self.bias]


@dataclass(frozen=True, slots=True)
class _Adapting:
    guesser: _Guesser
    hiding: _Hiding
    how: Adapting
    seed: int

    def fit_head(self, tokens: Tokens) -> None:
        """The head alone, on vectors of the backbone as it was."""
        self.guesser.eval()
        optimiser = torch.optim.Adam(self.guesser.head, lr=self.how.head_rate)
        passes = (self._batches(tokens, -2 - number) for number in count())
        for ids, mask, where, truth in islice(chain.from_iterable(passes), self.how.head_steps):
            with torch.no_grad():
                vectors = self.guesser.vectors(ids, mask, where)
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(self.guesser.guesses(vectors), truth).backward()
            optimiser.step()

    def steering(self, texts: int) -> tuple[Any, Any]:
        """The optimiser of the whole, and the schedule of its rates."""
        groups = [
            {"params": list(self.guesser.backbone.parameters()), "lr": self.how.rate},
            {"params": self.guesser.head, "lr": self.how.head_rate},
        ]
        return warmed(
            torch.optim.AdamW(groups, weight_decay=0.01), self.how.epochs * -(-texts // self.how.batch)
        )

    def epoch(self, tokens: Tokens, number: int, steering: tuple[Any, Any]) -> None:
        """All texts once, other words hidden each time."""
        self.guesser.train()
        optimiser, schedule = steering
        for ids, mask, where, truth in self._batches(tokens, number):
            optimiser.zero_grad()
            guesses = self.guesser.guesses(self.guesser.vectors(ids, mask, where))
            torch.nn.functional.cross_entropy(guesses, truth).backward()
            torch.nn.utils.clip_grad_norm_(self.guesser.parameters(), LARGEST_NORM)
            optimiser.step()
            schedule.step()

    def perplexity(self, tokens: Tokens) -> float:
        """The exponential of the mean surprise over hidden tokens, the same ones each time."""
        self.guesser.eval()
        total, count = 0.0, 0
        with torch.no_grad():
            for ids, mask, where, truth in self._batches(tokens, -1):
                guesses = self.guesser.guesses(self.guesser.vectors(ids, mask, where))
                total += float(torch.nn.functional.cross_entropy(guesses, truth, reduction="sum"))
                count += len(truth)
        return math.exp(total / count)

    def _batches(self, tokens: Tokens, number: int) -> Iterator[tuple[Any, Any, Any, Any]]:
        lots = np.random.default_rng([self.seed, number % SEEDS])
        lengths = [len(ids) for ids in tokens]
        for batch in batched(lengths, self.how.batch, (self.seed * 1000 + number) % SEEDS):
            yield self.hiding.hidden([tokens[row] for row in batch], lots)


def _copied(backbone: Any) -> dict[str, Any]:
    return {name: value.detach().clone() for name, value in backbone.state_dict().items()}
