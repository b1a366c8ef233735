"""Token ids → logits under onnxruntime, on one thread, at true length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import BundleError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

# What lies beyond is cut before tokenising: 512 tokens of any language are shorter than this.
MOST_CHARACTERS = 65_536
# A batch holds this many tokens at most, so that memory stays small; larger ones save nothing.
BATCH_TOKENS = 512
# Within a batch no text is shorter than this share of the longest: padding costs as much as text.
LEAST_FILLED = 0.8
# The operator by which a graph looks at all of a batch to find a scale, as its file spells it.
DYNAMIC = b"DynamicQuantizeLinear"


class Runtime:
    """An opened graph and its tokenizer. `logits` may be called from several threads.

    Raises `MissingExtra` without the extra "classify", `BundleError` for files that do not load.
    """

    def __init__(self, model: Path, tokenizer: Path, most_tokens: int) -> None:
        self._model, self._session = model, _session(model)
        self._alone = scales_by_batch(model)
        self._tokenizer = open_tokenizer(tokenizer, most_tokens)
        self._inputs = frozenset(str(given.name) for given in self._session.get_inputs())

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Each text's ids, cut to what the classifier reads, markers included."""
        return token_ids(self._tokenizer, texts)

    def logits(self, tokens: Sequence[Sequence[int]], *, padded_to: int = 0) -> NDArray[np.float32]:
        """(n, labels) float32, in the order of the texts. Blocks the thread.

        `padded_to` fills every batch up to so many tokens, which costs time and gains nothing: a benchmark
        shows how much.
        """
        import numpy as np  # noqa: PLC0415 - an extra, and heavy

        if not tokens:
            return np.zeros((0, 0), np.float32)
        rows: list[Any] = [None] * len(tokens)
        for batch in (
            [[row] for row in range(len(tokens))] if self._alone else batches(list(map(len, tokens)))
        ):
            found = self._run([tokens[index] for index in batch], padded_to)
            for place, index in enumerate(batch):
                rows[index] = found[place]
        return np.stack(rows)

    def _run(self, tokens: Sequence[Sequence[int]], padded_to: int) -> NDArray[np.float32]:
        """Logits of one batch, longest text first."""
        import numpy as np  # noqa: PLC0415 - the same

        ids = np.zeros((len(tokens), max(len(tokens[0]), padded_to)), np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(tokens):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        every = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        given = {name: value for name, value in every.items() if name in self._inputs}
        try:
            found = np.asarray(self._session.run(None, given)[0])
        except Exception as error:  # its exceptions have no common base but this
            raise BundleError(
                f"{self._model} cannot run on what its tokenizer gives; distill or copy anew."
            ) from error
        if found.dtype.kind != "f" or found.shape[:1] != (len(tokens),):
            raise BundleError(f"{self._model} gives no row of logits for each text; distill or copy anew.")
        return found


def scales_by_batch(path: Path) -> bool:
    """Whether the graph scales its activations over all texts of a batch, so that neighbours would count.

    Then each text runs alone: what is said of it must not depend on who asks at the same time.
    """
    return DYNAMIC in path.read_bytes()


def _session(path: Path) -> Any:
    """One thread: a second one doubles the CPU time and gains nothing on texts of this length."""
    try:
        # An extra, and one without types.
        import onnxruntime  # noqa: PLC0415 - see above  # pyright: ignore[reportMissingTypeStubs] - see above
    except ImportError as error:
        raise MissingExtra("A classifier", "classify") from error
    runtime: Any = onnxruntime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common base but this
        raise BundleError(f"{path} cannot be loaded as an ONNX model; distill or copy anew.") from error


def open_tokenizer(path: Path, most_tokens: int) -> Any:
    """A tokenizer that cuts after so many tokens and never pads; raises `MissingExtra` or `BundleError`."""
    try:
        import tokenizers  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("A classifier", "classify") from error
    library: Any = tokenizers
    try:
        tokenizer = library.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise BundleError(f"{path} cannot be loaded as a tokenizer; distill or copy anew.") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(most_tokens)
    return tokenizer


def token_ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Each text's ids; one by one, since `encode_batch` would start a thread for every core."""
    try:
        return [tokenizer.encode(_clean(text)).ids for text in texts]
    except Exception as error:  # the library raises bare Exception
        raise BundleError("The classifier's tokenizer cannot read a text; distill or copy anew.") from error


def _clean(text: str) -> str:
    """The part that can matter, without lone surrogates, which no tokenizer takes."""
    return text[:MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Positions of texts of like length, longest first, few enough tokens at a time; each position once."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if batch:
            longest = lengths[batch[0]]
            if (len(batch) + 1) * longest > BATCH_TOKENS or lengths[index] < LEAST_FILLED * longest:
                yield batch
                batch = []
        batch.append(index)
    if batch:
        yield batch
