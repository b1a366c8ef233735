"""The process in which the embedded model lives. Run as a file by `process.py`; imports nothing of ours.

It starts llama.cpp's server on a free loopback port, writes one line of JSON to standard output (`url`,
`context_tokens`, `slots`), closes standard output, and then only waits for standard input to end. The
parent holds the other end of that pipe and never writes: however the parent dies, `kill -9` included, the
pipe ends and so does this process. On Linux the kernel is asked for a signal besides.

Exit codes: 0 standard input ended, 3 xllamacpp is not installed, 4 the model cannot be loaded.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import signal
import sys
import threading
import time
from typing import Any, NoReturn
from urllib.parse import urlsplit

NO_RUNTIME, BAD_MODEL = 3, 4
SIGNAL_ON_PARENT_DEATH = 1  # PR_SET_PDEATHSIG
HTTP_OK = 200

# Kept prompts of earlier conversations, in MiB. The default of 8192 is more than many edge machines have.
CACHE_MIB = 64
# Tokens of a prompt that are read in one go. A hang-up is noticed, and another slot served, only between
# two batches; reading 128 costs no more a token than reading 2048 does, and takes about a second.
BATCH_TOKENS = 128
# llama.cpp's log is written by a thread of its own, and says why a model cannot be loaded.
LOG_FLUSH_S = 0.2
# A request without a limit of its own stops after this share of the context: small models like to repeat
# themselves, and then never end.
UNLIMITED_SHARE = 4


def main() -> None:
    """Serve until standard input ends."""
    wanted = _arguments()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends us in order
    _die_with(wanted.parent)
    threading.Thread(target=_exit_at_end_of_input, daemon=True).start()
    told = _own_output()
    try:
        # It may be missing, which the exit code tells, and it ships no types.
        import xllamacpp  # noqa: PLC0415 - see above  # pyright: ignore[reportMissingTypeStubs] - see above
    except ImportError as error:
        _give_up(error, NO_RUNTIME)
    try:
        untyped: Any = xllamacpp
        # It has no close, and forgetting it would end it: the name holds it until the process ends.
        server = untyped.Server(_parameters(untyped, wanted))
    except RuntimeError as error:
        _give_up(error, BAD_MODEL)
    with told:
        told.write(json.dumps(_report(server.listening_address + wanted.prefix)) + "\n")
    threading.Event().wait()


def _give_up(error: Exception, code: int) -> NoReturn:
    """Leave at once, so that standard output and the process end in the same moment."""
    time.sleep(LOG_FLUSH_S)
    sys.stderr.write(f"{error}\n")
    sys.stderr.flush()
    os._exit(code)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--alias", required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--context", type=int, required=True, help="tokens a slot")
    parser.add_argument("--chat-template", default="")
    parser.add_argument("--temperature", type=float)
    parser.add_argument("--parent", type=int, required=True, help="process id")
    wanted = parser.parse_args()
    # Without the path nobody gets in: not another account of this machine, nor a page in a browser on it.
    wanted.prefix = f"/{secrets.token_urlsafe(16)}"
    return wanted


def _parameters(xllamacpp: Any, wanted: argparse.Namespace) -> Any:
    p = xllamacpp.CommonParams()
    p.model.path = wanted.model
    p.model_alias = {wanted.alias}
    p.hostnames, p.port = ["127.0.0.1"], 0
    p.api_prefix = wanted.prefix
    p.cors_origins = "http://edgewise.invalid"  # its default lets every web page read the answers
    p.n_parallel = wanted.slots
    p.n_ctx = wanted.slots * wanted.context
    p.n_predict = wanted.context // UNLIMITED_SHARE
    p.n_batch = p.n_ubatch = BATCH_TOKENS
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = wanted.threads
    p.cache_ram_mib = CACHE_MIB
    p.fit_params = False  # would shrink the context to fit; rather fail and say so
    p.use_jinja = True
    p.chat_template = wanted.chat_template
    if wanted.temperature is not None:
        p.sampling.temp = wanted.temperature
    p.ui = False
    p.verbosity = 1  # errors only
    return p


def _report(url: str) -> dict[str, Any]:
    """What the parent must know. Asking for it also shows that the server answers."""
    where = urlsplit(url)
    while True:
        asked = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        asked.request("GET", f"{where.path}/props")
        with asked.getresponse() as reply:
            body = reply.read()
        asked.close()
        if reply.status == HTTP_OK:
            props = json.loads(body)
            context = props["default_generation_settings"]["n_ctx"]
            return {"url": f"{url}/v1", "context_tokens": context, "slots": props["total_slots"]}
        time.sleep(0.05)  # 503 while the model loads; the parent's patience bounds the loop


def _own_output() -> Any:
    """Standard output for us alone: whatever native code prints goes to standard error."""
    ours = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return ours


def _exit_at_end_of_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def _die_with(parent: int) -> None:
    """Ask Linux for a signal when the parent dies: at once, and even while native code holds the process."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - only here

    ctypes.CDLL(None).prctl(SIGNAL_ON_PARENT_DEATH, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask
        sys.exit(0)


if __name__ == "__main__":
    main()
