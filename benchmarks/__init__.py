"""What Edgewise costs: `python -m benchmarks.gateway` measures it beside nginx on this machine."""
