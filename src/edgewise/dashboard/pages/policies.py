"""Policies: the bundles, what each was measured to be worth, which is in charge, and how to change that."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from edgewise.dashboard import units
from edgewise.dashboard.evaluated import evaluation
from edgewise.dashboard.html import Child, Html, h, joined
from edgewise.dashboard.layout import button, card, empty, notice
from edgewise.dashboard.page import Gone, Page, Refused, redirect
from edgewise.dashboard.tables import facts, table
from edgewise.domain.errors import BundleError
from edgewise.domain.places import home
from edgewise.learning.deploy import FOLDER, Store
from edgewise.policies.bundles.manifest import MANIFEST, Manifest, read_manifest
from edgewise.settings.schema import DEPLOYED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edgewise.dashboard.page import Reply, Visit
    from edgewise.learning.deploy.state import Entry, State

VERSION: Final = re.compile(r"v[0-9]{1,9}")
SHARES: Final = {"shadow": 0.2, "canary": 0.1}
TWO: Final = 2
MOST_SHOWN: Final = 60  # versions, and steps


def _body(visit: Visit) -> Html:
    store = _store()
    state = store.state()
    bundles = _bundles(visit, store)
    if not bundles:
        return joined(
            (
                _follows(visit),
                empty(
                    "No bundle has been deployed yet.",
                    "Train one with ", h.code("edgewise train TABLE -o DIR"), " and put it in charge with ",
                    h.code("edgewise deploy DIR"), ".",
                ),
            )
        )  # fmt: skip
    compared = [name for name in visit.query.get("compare", "").split(",") if name in bundles][:TWO]
    return joined(
        (
            _follows(visit),
            _state(state),
            card("Bundles", _listed(state, bundles)),
            card("Compared", _compared(bundles, compared), id_="compared") if len(compared) == TWO else None,
            card("Steps so far", _history(state.history)),
        )
    )


def _bundles(visit: Visit, store: Store) -> dict[str, Manifest | BundleError]:
    """What is kept, newest first, then what a drift has had trained; a damaged one is its complaint."""
    found: dict[str, Manifest | BundleError] = {}
    for name, folder in _folders(visit, store):
        try:
            found[name] = read_manifest(folder)
        except BundleError as error:
            found[name] = error
    return found


def _folders(visit: Visit, store: Store) -> Iterator[tuple[str, Path]]:
    if store.root.is_dir():
        kept = [path for path in store.root.iterdir() if VERSION.fullmatch(path.name)]
        for path in sorted(kept, key=lambda path: -int(path.name[1:]))[:MOST_SHOWN]:
            yield path.name, path
    retrained = visit.sources.settings.monitor.retrain
    folder = home() / retrained if retrained else None
    if folder is not None and folder.is_dir():
        for path in sorted(folder.iterdir())[-MOST_SHOWN:]:
            if (path / MANIFEST).is_file():
                yield path.name, path


def _follows(visit: Visit) -> Html | None:
    """Whether what is promoted here is served at all."""
    settings = visit.sources.settings
    policies = {**settings.policies, "auto": settings.policy}
    if any(policy.kind == "bundle" and policy.bundle == DEPLOYED for policy in policies.values()):
        return None
    return notice(
        'No policy of this gateway follows what is deployed: set kind = "bundle" and bundle = "deployed" '
        "under [policy]."
    )


def _state(state: State) -> Html:
    trial = state.trial
    undo = button("Roll back", "/policies/rollback") if trial or state.current else None
    told = [
        ("In charge", state.current or "no bundle: the complexity rule decides"),
        (
            "On trial",
            None if trial is None else f"{trial.version}, {trial.mode} on {units.share(trial.share)}",
        ),
        ("Since", None if trial is None else units.moment(trial.since)),
        ("How it goes", None if trial is None else h.code("edgewise deploy --status")),
    ]
    return card("In charge", facts(told), h.div(undo, class_="foot") if undo is not None else None)


def _listed(state: State, bundles: Mapping[str, Manifest | BundleError]) -> Html:
    rows = [_row(state, name, found, list(bundles)) for name, found in bundles.items()]
    columns = ("bundle", "is", "objective", "features", "rows", "R\N{SUPERSCRIPT TWO} of quality", "")
    return table(columns, rows, caption="Bundles", numbers=(4, 5))


def _row(state: State, name: str, found: Manifest | BundleError, names: Sequence[str]) -> Sequence[Any]:
    if isinstance(found, BundleError):
        return (name, h.span("damaged", class_="badge bad"), str(found), "", "", "", "")
    is_kept = VERSION.fullmatch(name) is not None
    trial = state.trial
    role = "in charge" if name == state.current else "kept" if is_kept else "candidate"
    if trial is not None and trial.version == name:
        role = trial.mode
    actions = [
        button("Promote", "/policies/promote", bundle=name) if name != state.current else None,
        *(
            button(f"{mode.capitalize()} {share:.0%}", f"/policies/{mode}", "quiet", bundle=name)
            for mode, share in SHARES.items()
            if name != state.current and role != mode
        ),
    ]
    other = (
        state.current if state.current not in {None, name} else next((n for n in names if n != name), None)
    )
    against = h.a(f"against {other}", href=f"/policies?compare={name},{other}#compared") if other else None
    return (
        h.a(name, href=f"/policies/{name}"),
        h.span(role, class_="badge good" if role == "in charge" else "badge"),
        found.objective.spelling,
        found.features,
        units.count(found.training.rows),
        _said(_quality(found)),
        h.span(actions, against, class_="actions"),
    )


def _quality(manifest: Manifest) -> float | None:
    """The mean R² of the quality heads, held out."""
    head = manifest.heads.get("quality")
    found = [v for k, v in _flat("", {} if head is None else head.metrics) if k.endswith("r2")]
    return sum(found) / len(found) if found else None


def _below(visit: Visit) -> Html:
    """One bundle, whole."""
    folder = dict(_folders(visit, _store())).get(visit.rest)
    if folder is None:
        raise Gone(f"There is no bundle '{visit.rest[:40]}'.")
    manifest = read_manifest(folder)
    training = manifest.training
    told: list[tuple[str, Child]] = [
        ("Bundle", manifest.version),
        ("Trained on", f"{training.prompts:,} prompts, {training.rows:,} rows"),
        ("Fingerprint", training.fingerprint),
        ("Kind", manifest.kind),
        ("Objective", manifest.objective.spelling),
        ("Features", manifest.features),
        ("Seed", manifest.seed),
        ("Files", ", ".join(manifest.files)),
        ("Lies in", _near(str(folder))),
    ]
    candidates = [(one.id, one.location or "") for one in manifest.candidates]
    rows = [(path, _said(value)) for path, value in _metrics(manifest)]
    sources = [
        Path(entry.source)
        for entry in _store().state().history
        if entry.version == visit.rest and entry.source
    ]
    return joined(
        (
            h.p(h.a("All bundles", href="/policies")),
            card(visit.rest, facts(told)),
            card("Candidates", table(("candidate", "where"), candidates, caption="Candidates")),
            card(
                "Measured when it was trained",
                table(("figure", "value"), rows, caption="Figures of the training", numbers=(1,)),
                note="held out, by prompt",
            ),
            card("Evaluation", evaluation((folder, *reversed(sources)))),
        )
    )


def _compared(bundles: Mapping[str, Manifest | BundleError], names: Sequence[str]) -> Html:
    one, other = (bundles[name] for name in names)
    if isinstance(one, BundleError) or isinstance(other, BundleError):
        return notice("A damaged bundle cannot be compared.", "bad")
    left, right = dict(_metrics(one)), dict(_metrics(other))
    rows: list[tuple[str, str, str, str]] = [
        (name, a, b, "differs" if a != b else "")
        for name, a, b in (
            ("objective", one.objective.spelling, other.objective.spelling),
            ("features", one.features, other.features),
            (
                "candidates",
                ", ".join(c.id for c in one.candidates),
                ", ".join(c.id for c in other.candidates),
            ),
        )
    ]
    for path in dict.fromkeys((*left, *right)):
        a, b = left.get(path), right.get(path)
        difference = f"{b - a:+.4g}" if a is not None and b is not None else ""
        rows.append((path, _said(a), _said(b), difference))
    about = (
        "Figures of two trainings: where their tables differ, so do the prompts that they were measured on. "
        "A shadow or a canary compares two bundles on the same traffic."
    )
    return joined(
        (
            table(("", *names, "difference"), rows, caption="Two bundles", numbers=(1, 2, 3)),
            h.p(about, class_="note"),
        )
    )


def _metrics(manifest: Manifest) -> list[tuple[str, float]]:
    """Every number that the training measured, by a path of names."""
    heads = {name: head.metrics for name, head in manifest.heads.items()}
    return [*_flat("", manifest.metrics), *_flat("", heads)]


def _flat(path: str, found: Any) -> Iterator[tuple[str, float]]:
    if isinstance(found, dict):
        for name, value in cast("dict[str, Any]", found).items():
            yield from _flat(f"{path} \N{RIGHTWARDS ARROW} {name}" if path else name, value)
    elif isinstance(found, int | float) and not isinstance(found, bool):
        yield path, float(found)


def _said(value: float | None) -> str:
    return units.UNKNOWN if value is None else f"{value:.4g}"


def _history(history: Sequence[Entry]) -> Html:
    rows = [
        (
            units.moment(entry.at),
            entry.mode,
            entry.version or units.UNKNOWN,
            entry.bundle or "",
            "" if entry.mode == "rollback" else units.share(entry.share),
            _near(entry.source or ""),
        )
        for entry in reversed(history[-MOST_SHOWN:])
    ]
    if not rows:
        return h.p("Nothing has been deployed yet.", class_="quiet-text")
    return table(("when", "step", "version", "bundle", "share", "from"), rows, caption="Steps", numbers=(4,))


def _near(path: str) -> str:
    """A path as it lies below the state folder, or the whole of it."""
    try:
        return str(Path(path).relative_to(home()))
    except ValueError:
        return path


def _promote(visit: Visit) -> Reply:
    _store().promote(_asked(visit))
    return redirect("/policies")


def _shadow(visit: Visit) -> Reply:
    _store().attempt(_asked(visit), "shadow", SHARES["shadow"])
    return redirect("/policies")


def _canary(visit: Visit) -> Reply:
    _store().attempt(_asked(visit), "canary", SHARES["canary"])
    return redirect("/policies")


def _rollback(visit: Visit) -> Reply:
    del visit
    _store().rollback()
    return redirect("/policies")


def _store() -> Store:
    return Store(home() / FOLDER)


def _asked(visit: Visit) -> Path:
    """The folder of the bundle that a button named: one of those that the page shows, and no other."""
    name = visit.form.get("bundle", "")
    folder = dict(_folders(visit, _store())).get(name)
    if folder is None:
        raise Refused("There is no such bundle any more; look again.")
    return folder


PAGE = Page(
    "/policies",
    "Policies",
    _body,
    below=_below,
    actions={"promote": _promote, "shadow": _shadow, "canary": _canary, "rollback": _rollback},
)
