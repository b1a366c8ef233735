"""What tests of deployments begin with: a configuration that follows them, and a prompt that is hard."""

from __future__ import annotations

from tests.learning.synthetic import prompts

TOML = """
[policy]
kind = "bundle"
bundle = "deployed"
explore = {explore}
[[candidates]]
id = "small"
location = "edge"
script = {{ replies = ["short"] }}
[[candidates]]
id = "large"
location = "cloud"
price = {{ input = 1.0, output = 2.0 }}
script = {{ replies = ["long"] }}
"""
HARD = next(prompt for prompt, hard in prompts(20, seed=5) if hard)
