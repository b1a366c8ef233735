"""Vectors from any OpenAI-compatible embeddings endpoint: fetched once for training, awaited when serving."""
