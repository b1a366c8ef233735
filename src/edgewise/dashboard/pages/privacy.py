"""Privacy: which texts left this machine, to whom and by which rule, and what stayed and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from edgewise.dashboard import units
from edgewise.dashboard.html import Html, h, joined
from edgewise.dashboard.layout import card, empty, notice, tile, tiles
from edgewise.dashboard.page import Page
from edgewise.dashboard.tables import table
from edgewise.domain.privacy import LOCAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewise.dashboard.page import Visit
    from edgewise.domain.candidates import Candidate
    from edgewise.outcomes.booking import Travelled

MOST: Final = 5_000  # requests: what a page may read in its time
PLACES: Final = {
    "device": "this machine",
    "site": "another machine of the site",
    "cloud": "a cloud",
    "gone": "a candidate that is no longer configured",
    "": "nobody: refused",
}
NEAREST_FIRST: Final = ("", "device", "site", "gone", "cloud")


def _body(visit: Visit) -> Html:
    return h.div(_live(visit)["texts"], id="texts")


def _live(visit: Visit) -> Mapping[str, Html]:
    rows = visit.sources.reader.travelled(MOST)
    if not rows:
        todo = ("Ask something, for example at ", h.a("Try it", href="/try"), ".")
        return {"texts": joined((empty("No text has gone anywhere yet.", *todo), _kept_here(visit)))}
    candidates = {c.id: c for c in visit.sources.router.candidates}
    farthest = [_farthest(row, candidates) for row in rows]
    since = h.span(f"the latest {units.counted(len(rows), 'request')}, since ", units.moment(rows[-1].at))
    parts = (
        _promise(rows, farthest),
        _shares(farthest),
        card("Where texts went, and why", _by_reason(rows, farthest), note=since),
        card("Who got texts", _recipients(rows, candidates), note=since),
        card("What was kept back", _kept(rows), note=since),
        _kept_here(visit),
    )
    return {"texts": joined(parts)}


def _farthest(row: Travelled, candidates: Mapping[str, Candidate]) -> str:
    """How far from this machine a text went, over all attempts."""
    places = [candidates[name].trust if name in candidates else "gone" for name in row.asked]
    return max(places, key=NEAREST_FIRST.index, default="")


def _promise(rows: Sequence[Travelled], farthest: Sequence[str]) -> Html:
    """Whether the one promise held that no learning can override."""
    held = [place for row, place in zip(rows, farthest, strict=True) if row.privacy == LOCAL or _held(row)]
    broken = sum(place in {"site", "cloud"} for place in held)
    if broken:
        return notice(f"Texts that had to stay here left this machine: {units.count(broken)}.", "bad")
    if not held:
        return notice("No request was declared local, and no detector held one back.", "good")
    told = "The one text" if len(held) == 1 else f"All {units.count(len(held))} texts"
    return notice(f"{told} that had to stay on this machine did.", "good")


def _held(row: Travelled) -> bool:
    return any(sentence.startswith("The request is held local") for sentence in row.kept_by)


def _shares(farthest: Sequence[str]) -> Html:
    counted = Counter(farthest)
    return tiles(
        *(
            tile(said.capitalize(), units.share(counted[place] / len(farthest)), units.count(counted[place]))
            for place, said in PLACES.items()
            if counted[place] or place in {"device", "cloud"}
        )
    )


def _by_reason(rows: Sequence[Travelled], farthest: Sequence[str]) -> Html:
    counted = Counter((row.reason, place) for row, place in zip(rows, farthest, strict=True))
    reasons = sorted({reason for reason, _ in counted}, key=lambda r: -sum(counted[r, p] for p in PLACES))
    places = [place for place in PLACES if any(counted[reason, place] for reason in reasons)]
    told = [
        (h.code(reason), *(units.count(counted[reason, place]) for place in places)) for reason in reasons
    ]
    columns = ("reason", *(PLACES[place] for place in places))
    return table(columns, told, caption="Requests by reason and place", numbers=range(1, len(columns)))


def _recipients(rows: Sequence[Travelled], candidates: Mapping[str, Candidate]) -> Html:
    counted = Counter(name for row in rows for name in row.asked)
    told: list[tuple[str, str, str, str]] = []
    for name, requests in counted.most_common():
        one = candidates.get(name)
        where = PLACES["gone" if one is None else one.trust]
        told.append((name, where, (one.endpoint if one else "") or "in this process", units.count(requests)))
    columns = ("candidate", "where", "endpoint", "requests")
    return table(columns, told, caption="Candidates that got texts", numbers=(3,))


def _kept(rows: Sequence[Travelled]) -> Html:
    why = Counter(sentence for row in rows for sentence in row.kept_by)
    found = Counter(rule for row in rows for rule in row.found)
    if not why and not found:
        return h.p(
            "No text was kept back. A request with the header ", h.code("x-edgewise-privacy: local"),
            " never leaves this machine, and [privacy] says what happens to what detectors find.",
            class_="quiet-text",
        )  # fmt: skip
    told = [(sentence, units.count(requests)) for sentence, requests in why.most_common()]
    rules = [(h.code(rule), units.count(requests)) for rule, requests in found.most_common()]
    return joined(
        (
            table(("why", "requests"), told, caption="Why texts were kept", numbers=(1,)) if told else None,
            table(("detector's rule", "requests"), rules, caption="What detectors found", numbers=(1,))
            if rules
            else None,
        )
    )


def _kept_here(visit: Visit) -> Html:
    settings = visit.sources.settings
    stored = {
        "full": "prompts and answers",
        "hash": "a salted hash of each prompt, and no answer",
        "none": "neither prompts nor answers",
    }
    rows = [("The log keeps", stored[settings.store.prompts])]
    if settings.store.prompts != "full":
        rows.append(("Vectors of prompts", "kept" if settings.store.vectors else "not kept"))
    if settings.judge.share > 0:
        by = ", ".join(settings.judge.by)
        told = f"{units.share(settings.judge.share)} of the answers that are not private, to {by}"
        rows.append(("Judges are shown", told))
    rows.append(("Telemetry", "none: Edgewise sends nothing to anybody but the candidates"))
    return card("What is kept here", table(("", ""), rows, caption="What is kept on this machine"))


PAGE = Page("/privacy", "Privacy", _body, live=_live)
