"""A chat that prefers the edge, asks the cloud when it pays, and goes on when the network is gone."""

from pathlib import Path

from edgewise import EdgewiseError, Router

with Router(Path(__file__).with_suffix(".toml")) as router:
    print("Type a question, or exit.")
    while (question := input("\nYou: ")) != "exit":
        asking = router.ask(question)
        try:
            for words in asking:
                print(words, end="", flush=True)
        except EdgewiseError as error:
            print(f"\n{error}", end="")
        decision = asking.decision
        if decision is None:
            continue
        unreachable = [o for o in decision.objections if o.rule == "connectivity" and o.penalty is None]
        print(f"\n[{decision.chosen}{', offline' if unreachable else ''}]")
