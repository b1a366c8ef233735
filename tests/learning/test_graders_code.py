"""The grader `code`: code that nobody has looked at must not pass by cheating, nor get out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from edgewise.learning.graders import Grade, grade
from edgewise.learning.graders.sandbox import run

CHECK: dict[str, Any] = {
    "grader": "code",
    "function": "add",
    "cases": [
        {"args": [1, 2], "result": 3},
        {"args": [-1, 1], "result": 0},
        {"args": [0.1, 0.2], "result": 0.3},
    ],
    "timeout_s": 30.0,
}
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="system calls are filtered on Linux alone")


def graded(code: str, check: dict[str, Any] = CHECK) -> Grade:
    return grade(check, f"```python\n{code}\n```", run_code=True)


def inside(body: str) -> Any:
    """What a call gives back that tries something inside the sandbox."""
    code = "import os\ndef f():\n" + "".join(f"    {line}\n" for line in body.splitlines())
    [result] = run(code, "f", [[]], timeout_s=30.0)
    return result.error or result.value


def test_without_leave_nothing_is_run_and_nothing_judged(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    found = grade(CHECK, f"```python\nopen({str(mark)!r}, 'w')\ndef add(a, b): return a + b\n```")
    assert found == Grade(None, "The answer's code was not run: that needs --run-code.")
    assert not mark.exists()


@pytest.mark.parametrize(
    "response",
    [
        "def add(a, b):\n    return a + b",
        "Sure! Here is it:\n\n```python\ndef add(a, b):\n    return a + b\n```\nCall it: `add(1, 2)`.",
        "```\nadd = lambda a, b: a + b\n```",
        "Usage:\n```python\nprint(add(1, 2))\n```\nCode:\n```py\nimport math\n"
        "def add(a, b):\n    return math.fsum([a, b])\n```",
        "<think>def add(): pass</think>def add(a: int, b: int) -> int:\n    return sum((a, b))",
    ],
)
def test_right_code_passes_however_it_is_wrapped(response: str) -> None:
    assert grade(CHECK, response, run_code=True).quality == 1.0


HOSTILE = {
    "does something else": "def add(a, b): return a - b",
    "is right once": "def add(a, b): return 3",
    "does not parse": "def add(a, b) return",
    "is not there": "def plus(a, b): return a + b",
    "exits well": "import sys\nsys.exit(0)",
    "exits well inside": "import os\ndef add(a, b): os._exit(0)",
    "prints that it passed": (
        "print('passed')\nprint('{\"value\": 3}')\ndef add(a, b): print('All tests passed'); return None"
    ),
    "writes results by itself": (
        "import os\nfor fd in range(20):\n    try: os.write(fd, b'{\"value\": 3}\\n' * 3)\n"
        "    except OSError: pass\nos._exit(0)"
    ),
    "patches json": "import json\njson.dumps = lambda *a, **k: '{\"value\": true}'\ndef add(a, b): return 1",
    "patches everything": (
        "import builtins, unittest\nbuiltins.AssertionError = Exception\nbuiltins.all = lambda *a: True\n"
        "builtins.abs = lambda *a: 0\n"
        "unittest.TestCase.assertEqual = lambda *a: None\ndef add(a, b): return 7"
    ),
    "equals everything": (
        "class Yes(int):\n    def __eq__(self, o): return True\n    def __sub__(self, o): return 0\n"
        "    __hash__ = int.__hash__\ndef add(a, b): return Yes(9)"
    ),
    "looks for the results": (
        "import sys\ndef add(a, b):\n    frame = sys._getframe()\n    while frame:\n"
        "        for value in list(frame.f_locals.values()):\n"
        "            if isinstance(value, dict) and 'cases' in value: return value['cases'][0]['result']\n"
        "        frame = frame.f_back\n    return None"
    ),
    "loops": "while True: pass",
    "loops inside": "def add(a, b):\n    while True: pass",
    "sleeps": "import time\ntime.sleep(60)",
    "eats memory": "x = bytearray(4 * 2**30)\ndef add(a, b): return a + b",
    "eats memory bit by bit": "x = []\nwhile True: x.append(bytearray(10**7))",
    "recurses": "def add(a, b): return add(a, b)",
    "gives back a flood": "def add(a, b): return 'x' * 10**8",
    "gives back what is no JSON": "def add(a, b): return object()",
    "gives back no number": "def add(a, b): return float('nan')",
    "swallows its end": (
        "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except BaseException: pass\n"
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    "bombs with processes": (
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: break\ndef add(a, b): return 0"
    ),
    "nests deeply": "def add(a, b):\n    x = []\n    for _ in range(10**5): x = [x]\n    return x",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_gets_nothing(name: str) -> None:
    assert graded(HOSTILE[name], {**CHECK, "timeout_s": 0.7}).quality == 0.0


def test_truth_values_are_no_numbers() -> None:
    check = {
        "grader": "code",
        "function": "even",
        "cases": [{"args": [2], "result": True}],
        "timeout_s": 30.0,
    }
    assert graded("def even(n): return n % 2 == 0", check).quality == 1.0
    assert graded("def even(n): return 1", check).quality == 0.0


def test_the_code_sees_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    seen = inside("return dict(os.environ)")
    assert "sk-canary" not in str(seen)
    assert set(seen) <= {"LC_CTYPE"}


@LINUX
@pytest.mark.parametrize(
    "body",
    [
        "return open('/etc/passwd').read()",
        "return open('/proc/self/environ').read()",
        "return open('mine', 'w').write('x')",
        "return os.listdir('/')",
        "return os.fork()",
        "import _thread\nreturn _thread.start_new_thread(print, ())",
        "import _socket\nreturn str(_socket.socket())",
        "return os.execv('/bin/sh', ['sh'])",
        "return os.kill(os.getppid(), 9)",
        "return os.mkdir('/tmp/edgewise-got-out')",
        "return os.unlink('/tmp/edgewise-no-such-file')",
        "return os.setuid(0)",
        "import socket\nreturn 'loaded'",
        "import subprocess\nreturn 'loaded'",
    ],
)
def test_the_code_gets_out_by_no_system_call(body: str) -> None:
    assert inside(body) in {
        "PermissionError",
        "RuntimeError",
        "error",
        "ModuleNotFoundError",
        "ImportError",
        "FileNotFoundError",
    }
    assert not Path("/tmp/edgewise-got-out").exists()  # noqa: S108 - where the code would have got to


@LINUX
def test_no_file_of_ours_is_open_in_it() -> None:
    with Path(__file__).open(encoding="utf-8") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003 - as os has it
        body = f"try: return os.read({file.fileno()}, 10).decode()\nexcept OSError: return 'closed'"
        assert inside(body) == "closed"


def test_a_fork_bomb_leaves_nothing_behind() -> None:
    before = _children()
    assert graded(HOSTILE["bombs with processes"]).quality == 0.0
    assert _children() <= before


def _children() -> int:
    task = Path(f"/proc/self/task/{os.getpid()}/children")
    return len(task.read_text().split()) if task.exists() else 0
