"""Sentence vectors on this machine: all-MiniLM-L6-v2 under onnxruntime, 384 numbers a text.

Mean of the last layer over the tokens, scaled to length 1, as sentence-transformers computes it. A text is
never padded further than to the longest of its small batch: cost grows with tokens, padding included.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import AssetError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 384
MOST_TOKENS = 256
# What lies beyond is cut before tokenising: 256 tokens of any language are shorter than this.
MOST_CHARACTERS = 65_536
# A batch holds this many tokens at most, so that memory stays small; above about 60 tokens a text, batches
# save nothing anyway (a single text of 8 tokens takes 5 ms of CPU, in a batch 2.3).
BATCH_TOKENS = 512
# Within a batch no text is shorter than this share of the longest: padding costs as much as text.
LEAST_FILLED = 0.8


class MiniLM:
    """The model. Its files are opened on first use; `embed` may be called from several threads.

    Raises `MissingExtra` on first use without the extra "minilm", `AssetError` for files that are torn.
    """

    def __init__(self, model_path: Path, tokenizer_path: Path) -> None:
        self.model_path, self.tokenizer_path = model_path, tokenizer_path
        self._lock = Lock()
        self._opened: tuple[Any, Any] | None = None

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (n, 384), float32, each of length 1. Blocks the thread."""
        return self.embed_counted(texts)[0]

    def embed_counted(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], int]:
        """Vectors as `embed` gives them, and how many tokens were read in all.

        The markers at both ends count; what is cut off after 256 tokens a text does not.
        """
        session, tokenizer = self._opened or self._open()
        import numpy as np  # noqa: PLC0415 - heavy, and loaded by now

        # One by one: `encode_batch` would start a thread for every core.
        tokens: list[list[int]] = [tokenizer.encode(_clean(text)).ids for text in texts]
        vectors = np.empty((len(tokens), DIMENSIONS), np.float32)
        for batch in _batches([len(ids) for ids in tokens]):
            vectors[batch] = _run(session, [tokens[index] for index in batch])
        return vectors, sum(map(len, tokens))

    def _open(self) -> tuple[Any, Any]:
        with self._lock:
            if self._opened is None:
                self._opened = _session(self.model_path), _tokenizer(self.tokenizer_path)
            return self._opened


def _session(path: Path) -> Any:
    """One thread: a second one doubles the CPU time and gains nothing on texts of this length."""
    try:
        # An extra, and one without types.
        import onnxruntime  # noqa: PLC0415 - see above  # pyright: ignore[reportMissingTypeStubs] - see above
    except ImportError as error:
        raise MissingExtra("MiniLM", "minilm") from error
    runtime: Any = onnxruntime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common base but this
        raise AssetError(f"{path} cannot be loaded as an ONNX model; run: edgewise models verify") from error


def _tokenizer(path: Path) -> Any:
    try:
        import tokenizers  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("MiniLM", "minilm") from error
    library: Any = tokenizers
    try:
        tokenizer = library.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise AssetError(f"{path} cannot be loaded as a tokenizer; run: edgewise models verify") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST_TOKENS)
    return tokenizer


def _clean(text: str) -> str:
    """The part that can matter, without lone surrogates, which no tokenizer takes."""
    return text[:MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Positions of texts of like length, few enough tokens at a time."""
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


def _run(session: Any, tokens: list[list[int]]) -> NDArray[np.float32]:
    """Vectors of one batch, longest text first."""
    import numpy as np  # noqa: PLC0415 - see embed_counted

    ids = np.zeros((len(tokens), len(tokens[0])), np.int64)
    mask = np.zeros_like(ids)
    for row, text in enumerate(tokens):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    hidden: NDArray[np.float32] = session.run(None, feed)[0]
    sums: NDArray[np.float32] = np.einsum("btd,bt->bd", hidden, mask.astype(np.float32))
    sums /= np.linalg.norm(sums, axis=1, keepdims=True)  # the mean's divisor cancels out here
    return sums
