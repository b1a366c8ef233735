"""Prompts to begin with: made, sampled from the log or imported; without duplicates, split by prompt."""

from edgewise.learning.prompts.files import Prompt, read_prompts, write_prompts

__all__ = ["Prompt", "read_prompts", "write_prompts"]
