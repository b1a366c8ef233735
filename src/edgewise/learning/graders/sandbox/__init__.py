"""Code that nobody has looked at, run with as little as it can be run with.

The child (`child.py`) starts without site packages, without an environment and in an empty folder of its
own. Before it looks at the code it gives up, for good: memory beyond 512 MB, CPU beyond the time limit,
files, processes; and on Linux by a seccomp filter every system call but those that compute: it can then
open no file, make no connection and start no process, not even as root. There the code has the modules that
are loaded before (`MODULES` in `child.py`) and no others. On other systems only the limits hold: files of
the user could be read, and the network reached. Where no limit can be set (Windows), nothing is run.
"""

from edgewise.learning.graders.sandbox.run import Crash, Result, Unsafe, run

__all__ = ["Crash", "Result", "Unsafe", "run"]
