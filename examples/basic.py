"""An edge and a cloud, one prompt, and why it went where it went."""

from pathlib import Path

from edgewise import Router

with Router(Path(__file__).with_suffix(".toml")) as router:
    reply = router.ask("Explain quantum computing in simple terms").reply()
    print(reply.text)
    print(f"\n{reply.decision.chosen} answered ({reply.decision.reason})")
    for objection in reply.decision.objections:
        if objection.penalty is None:  # the others only count against somebody
            print(f"- not {objection.candidate}: {objection.sentence}")
