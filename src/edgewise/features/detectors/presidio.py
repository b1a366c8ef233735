"""Microsoft Presidio as a further detector: names, places and what else its language model knows.

It runs on this machine. Left to itself it would ask the network twice: for its language model, and for a list
of internet suffixes to check e-mail and web addresses with. The model is loaded here instead, and those
recognizers are left out: a rule of our own finds e-mail addresses.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import AssetError, MissingExtra
from edgewise.features.detectors.matches import Match

if TYPE_CHECKING:
    from collections.abc import Sequence

# These ask a suffix list that is fetched on first use.
FETCHING = ("EmailRecognizer", "UrlRecognizer")
SUREST = 0.5  # Presidio's own score, 0 to 1, from which on a find counts
LONGEST = 1_000_000  # characters: more is more than the language model takes


class Presidio:
    """Finds with Presidio's English recognizers and the spaCy model `model`, which is loaded when it is made.

    Rules are called `presidio.person`, `presidio.location` and so on. Raises `MissingExtra` without the extra
    `presidio`, `AssetError` without the model: nothing is downloaded.
    """

    def __init__(self, model: str) -> None:
        if not _is_installed("presidio_analyzer"):
            raise MissingExtra("[privacy] presidio", "presidio")
        if not _is_installed(model):
            raise AssetError(
                f"The spaCy model '{model}' of [privacy] presidio is not installed; "
                f"`python -m spacy download {model}` fetches it."
            )
        self._engine = _engine(model)

    def find(self, text: str) -> Sequence[Match]:
        """What Presidio is at least half sure of. Raises ValueError for a text that is too long for it."""
        if len(text) > LONGEST:
            raise ValueError(f"Presidio reads at most {LONGEST} characters.")
        found = self._engine.analyze(text=text, language="en", score_threshold=SUREST)
        return [Match(f"presidio.{one.entity_type.lower()}", one.start, one.end) for one in found]


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # a dotted name without its parent, or no name at all
        return False


def _engine(model: str) -> Any:
    presidio: Any = import_module("presidio_analyzer")
    engines: Any = import_module("presidio_analyzer.nlp_engine")
    nlp = engines.SpacyNlpEngine(models=[{"lang_code": "en", "model_name": model}])
    nlp.nlp = {"en": import_module(model).load()}  # its own `load` would download what it thinks is missing
    registry = presidio.RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=nlp)
    for name in FETCHING:
        registry.remove_recognizer(name)
    return presidio.AnalyzerEngine(nlp_engine=nlp, registry=registry, supported_languages=["en"])
