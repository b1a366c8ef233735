"""Five dollars a day: what was spent is read from the record, and who costs money gives way in time."""

from pathlib import Path

from edgewise import Router

QUERIES = (
    "What time is it?",
    "Explain how photosynthesis works",
    "Write a detailed analysis of sustainable energy solutions for developing nations, with their costs.",
)

with Router(Path(__file__).with_suffix(".toml")) as router:
    for query in QUERIES:
        reply = router.ask(query).reply()
        cost = reply.outcome.cost_usd if reply.outcome else None
        spent, budget = router.signals["spent_usd"], router.signals["budget_usd"]
        print(f"{reply.decision.chosen}, ${cost or 0.0:.6f}: {query[:40]}")
        print(f"  ${spent.value:.6f} of ${budget.value:.2f} spent today, {spent.state}")
