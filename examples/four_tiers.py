"""Four models from small to large: the harder the prompt, the further up."""

from pathlib import Path

from edgewise import Router

PROMPTS = (
    "What is the capital of France?",
    "Analyze the implications of quantum computing on modern cryptography, including potential "
    "vulnerabilities in RSA and elliptic curve systems.",
)

with Router(Path(__file__).with_suffix(".toml")) as router:
    for prompt in PROMPTS:
        decision = router.ask(prompt).reply().decision
        print(f"{decision.chosen}: difficulty {decision.evidence['score']:.2f}, {prompt[:40]}")
