"""What makes two prompts the same one."""

from __future__ import annotations

from hashlib import sha256


def prompt_key(prompt: str) -> str:
    """The hash that splits go by: white space does not make a prompt another one."""
    return sha256(" ".join(prompt.split()).encode("utf-8", "surrogatepass")).hexdigest()[:24]
