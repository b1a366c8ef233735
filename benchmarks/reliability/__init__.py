"""Studies of what happens when things go wrong: `python -m benchmarks.reliability.NAME`."""
