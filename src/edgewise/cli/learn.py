"""`edgewise learn`: from nothing to a policy, and whether it is worth having."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import structs

from edgewise.cli.console import err, fail, out
from edgewise.cli.extras import need_learning
from edgewise.cli.profiling import Job, chosen_of, profiled
from edgewise.cli.setup import ConfigOption, naming, run, settings_or_found
from edgewise.domain.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewise.learning.loop import Stages, Training
    from edgewise.settings import Settings

INTERRUPTED = 130
SHIPPED, GENERATED = "shipped", "generated"
PROMPTS, PROFILE, JUDGED, BUNDLE, EVALUATION = (
    "prompts.jsonl", "profile", "judged.jsonl", "bundle", "evaluation",
)  # fmt: skip
ANSWERS = "answers.jsonl"  # of a profile that has seen other prompts or candidates, too: these
USUAL = 200


def command(  # noqa: PLR0913 - one argument an option
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A prompts file, in place of the shipped ones.")
    ] = None,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the loop.")] = Path("learned"),
    prompts: Annotated[
        int | None, typer.Option(min=10, help="How many prompts (default: 200, or all of FILE).")
    ] = None,
    use_shipped: Annotated[
        bool, typer.Option("--shipped", help="The prompts that come with Edgewise (the default).")
    ] = False,
    generate: Annotated[
        str | None, typer.Option(metavar="CANDIDATE", help="Let this candidate make the prompts.")
    ] = None,
    candidates: Annotated[str, typer.Option(help="Choose between these only: a,b.")] = "",
    by: Annotated[list[str] | None, typer.Option(help="A candidate that judges; may be repeated.")] = None,
    objective: Annotated[str | None, typer.Option(help="What a good choice is.")] = None,
    weight: Annotated[float, typer.Option(help="quality-at-cost: the weight of cost.")] = 0.0,
    floor: Annotated[float, typer.Option(help="The quality that an at-quality objective asks for.")] = 0.8,
    features: Annotated[str, typer.Option(help="static, minilm or URL#MODEL.")] = "static",
    learner: Annotated[str, typer.Option(help="auto, or one by name.")] = "auto",
    cv: Annotated[str, typer.Option(help="How training is judged: FOLDSxREPEATS.")] = "5x2",
    run_code: Annotated[
        bool, typer.Option("--run-code", help="Let graders run code that models wrote, within limits.")
    ] = False,
    budget_usd: Annotated[
        float | None, typer.Option(min=0, help="What profiling and judging may cost, in USD.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Ask once more what failed or was lost.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of every draw.")] = 0,
    config: ConfigOption = None,
) -> None:
    """Prompts, profile, judge, train, evaluate: the same command goes on where it was ended."""
    need_learning()
    if sum((file is not None, use_shipped, generate is not None)) > 1:
        fail("Give a FILE, --shipped or --generate, not several of them.")
    settings, notes = settings_or_found(config)
    for note in notes:
        err(note)
    settings = structs.replace(settings, profile=structs.replace(settings.profile, seed=seed))
    names = tuple(name.strip() for name in candidates.split(",") if name.strip())
    from edgewise.learning.loop import Stages, Training, digest_of  # noqa: PLC0415 - numpy is an extra

    folds, repeats = _folds(cv)
    loop = _Loop(
        Stages(output, err),
        settings,
        names,
        tuple(name for each in by or () for name in each.split(",") if name),
        Training(objective, weight, floor, features, learner, seed, folds, repeats),
        budget_usd,
        config,
        run_code,
        again,
    )
    loop.check(generate)
    source = "" if file is None else digest_of(file)
    loop.prompts(file, generate, prompts, source)
    with naming(config):
        loop.profile()
    loop.judge()
    loop.train()
    loop.evaluate()


@dataclass(frozen=True, slots=True)
class _Loop:
    """The five stages in their folder."""

    stages: Stages
    settings: Settings
    names: tuple[str, ...]
    judges: tuple[str, ...]
    training: Training
    budget_usd: float | None
    config: Path | None
    run_code: bool
    again: bool = False

    @property
    def folder(self) -> Path:
        return self.stages.folder

    def check(self, generate: str | None) -> None:
        """Raise now what would otherwise be found after a profile was paid for."""
        asked = chosen_of(self.settings, self.names)
        if len(asked) < 2:  # noqa: PLR2004 - a choice needs two
            only = ", ".join(candidate.id for candidate in asked)
            raise SettingsError(f"A choice needs two candidates at least; there is {only}.")
        judges = chosen_of(self.settings, self.judges) if self.judges else ()
        unpriced = [judge.id for judge in judges if judge.price is None]
        if unpriced and self.budget_usd is not None:
            raise SettingsError(
                f"{unpriced[0]} has no price, so that --budget-usd cannot be kept; give it one in "
                "edgewise.toml (price = { input = …, output = … })."
            )
        if generate is not None and not judges:
            raise SettingsError(
                "Prompts that a candidate makes have no `check`; somebody has to judge the answers: "
                "--by CANDIDATE."
            )
        self.training.check()

    def prompts(self, file: Path | None, generate: str | None, count: int | None, source: str) -> None:
        """Have `prompts.jsonl`."""
        kind = GENERATED if generate is not None else "file" if file is not None else SHIPPED
        wanted, count = count, count if file is not None else count or USUAL
        self._stage(
            "prompts",
            [kind, generate, count, source, self.training.seed, self.run_code and kind == SHIPPED],
            [PROMPTS],
            lambda: self._make_prompts(file, generate, count),
        )
        held = self._check_checks()
        if wanted is not None and held < wanted:
            err(f"There are {held:,} prompts, not {wanted:,}.")

    def profile(self) -> None:
        """Have `profile`: each call once, however often this was ended."""
        asked = chosen_of(self.settings, self.names)
        inputs = [self._digest(PROMPTS), asked, self.settings.profile, self.budget_usd]
        job = Job(self.folder / PROMPTS, self.folder / PROFILE, self.names, self.budget_usd, again=self.again)
        made = [f"{PROFILE}/outcomes.jsonl"]
        self._stage("profile", inputs, made, lambda: self._ask(job), anew=self.again)
        self._check_answers()

    def judge(self) -> None:
        """Have `judged.jsonl`, and pictures of it."""
        from edgewise.cli.judge import command as judge  # noqa: PLC0415 - loads when something is judged
        from edgewise.learning.loop import selected  # noqa: PLC0415 - numpy is an extra
        from edgewise.learning.profile import summary  # noqa: PLC0415 - the same
        from edgewise.learning.prompts import read_prompts  # noqa: PLC0415 - the same

        asked = [candidate.id for candidate in chosen_of(self.settings, self.names)]
        rows = f"{PROFILE}/outcomes.jsonl"

        def work() -> bool:
            prompts = read_prompts(self.folder / PROMPTS)
            fewer = selected(self.folder / rows, prompts, asked, self.folder / ANSWERS)
            spent = sum(each.cost_usd for each in summary(self.folder / PROFILE))
            judge(
                self.folder / (ANSWERS if fewer else PROFILE),
                output=self.folder / JUDGED,
                by=list(self.judges),
                graders_only=not self.judges,
                run_code=self.run_code,
                budget_usd=None if self.budget_usd is None else max(0.0, self.budget_usd - spent),
                seed=self.training.seed,
                config=self.config,
            )
            return True

        these = [self._digest(PROMPTS), asked, self._digest(rows)]
        inputs = [*these, self.judges, self.training.seed, self.run_code]
        self._stage("judge", inputs, [JUDGED], work)

    def train(self) -> None:
        """Have `bundle`."""
        from edgewise.learning.loop import trained  # noqa: PLC0415 - numpy is an extra

        def work() -> bool:
            trained(self.folder / JUDGED, self.folder / BUNDLE, self.training, err)
            return True

        self._stage("train", [self._digest(JUDGED), str(self.training)], [BUNDLE], work)

    def evaluate(self) -> None:
        """Have `evaluation`, and say what it means."""
        from edgewise.learning.loop import evaluated, verdict_of  # noqa: PLC0415 - numpy is an extra

        def work() -> bool:
            report = evaluated(self.folder / JUDGED, self.folder / EVALUATION, self.training, _quiet)
            self.stages.conclude(verdict_of(report))
            return True

        self._stage("evaluate", [self._digest(JUDGED), str(self.training)], [EVALUATION], work)
        found = self.stages.state.verdict or {}
        out(f"{found.get('sentence')}")
        out(f"{found.get('more')}")
        err(f"The policy is in {self.folder / BUNDLE}; what it was judged by, in {self.folder / EVALUATION}.")

    def _stage(
        self,
        name: str,
        inputs: Sequence[object],
        outputs: Sequence[str],
        work: Callable[[], bool],
        *,
        anew: bool = False,
    ) -> None:
        try:
            ended = self.stages.run(name, inputs, outputs, work, anew=anew)
        except KeyboardInterrupt:
            ended = False
        if not ended:
            err("The same command goes on from here.")
            raise typer.Exit(INTERRUPTED)

    def _digest(self, name: str) -> str:
        from edgewise.learning.loop import digest_of  # noqa: PLC0415 - numpy is an extra

        return digest_of(self.folder / name)

    def _make_prompts(self, file: Path | None, generate: str | None, count: int | None) -> bool:
        from edgewise.learning.loop import chosen, shipped_prompts  # noqa: PLC0415 - numpy is an extra
        from edgewise.learning.prompts import read_prompts, write_prompts  # noqa: PLC0415 - the same

        path = self.folder / PROMPTS
        self.folder.mkdir(parents=True, exist_ok=True)
        if generate is not None:
            if path.exists() and path.stat().st_size:
                theirs = {prompt.source for prompt in read_prompts(path)} - {f"{GENERATED}:{generate}"}
                if theirs:
                    raise SettingsError(
                        f"{path} holds prompts that {generate} did not make; give another folder (-o)."
                    )
            from edgewise.cli.prompts import generate as made  # noqa: PLC0415 - few need it

            made(output=path, by=generate, number=count or USUAL, seed=self.training.seed, config=self.config)
        elif file is not None:
            write_prompts(chosen(read_prompts(file, bad=err), count, self.training.seed), path)
        else:
            write_prompts(shipped_prompts(count, self.training.seed, code=self.run_code), path)
        return True

    def _check_checks(self) -> int:
        """How many prompts there are. Raises `SettingsError` where nobody could judge enough of them."""
        from edgewise.learning.graders.checked import checked  # noqa: PLC0415 - loads when it is needed
        from edgewise.learning.graders.registry import RUNNING  # noqa: PLC0415 - the same
        from edgewise.learning.prompts import read_prompts  # noqa: PLC0415 - the same
        from edgewise.learning.train.learn import FEWEST_PROMPTS  # noqa: PLC0415 - numpy is an extra

        checks = code = total = 0
        for prompt in checked(read_prompts(self.folder / PROMPTS), PROMPTS):
            total += 1
            runs = prompt.check is not None and prompt.check["grader"] in RUNNING and not self.run_code
            checks += prompt.check is not None and not runs
            code += runs
        more = f" ({code:,} have one that needs --run-code)" if code else ""
        if not self.judges and not checks:
            none = f"None of the prompts has a `check`{' that may be used' if code else ''}"
            raise SettingsError(f"{none}{more}; somebody has to judge the answers: --by CANDIDATE.")
        fewest = max(FEWEST_PROMPTS, self.training.folds)
        if (judged := total if self.judges else checks) < fewest:
            raise SettingsError(
                f"{judged:,} prompts can be judged{more}; learning and --cv need {fewest:,} at least."
            )
        if checks < total and not self.judges:
            err(
                f"{total - checks:,} of {total:,} prompts have no `check` that may be used{more}, and "
                "no judge is named: left out."
            )
        return total

    def _check_answers(self) -> None:
        """Say what failed. Raises `SettingsError` where fewer than two candidates answered at all."""
        from edgewise.learning.profile import summary  # noqa: PLC0415 - loads only with a profile

        asked = {candidate.id for candidate in chosen_of(self.settings, self.names)}
        found = [each for each in summary(self.folder / PROFILE) if each.candidate in asked]
        failed = {each.candidate: each.failed for each in found if each.failed}
        if not failed:
            return
        silent = [each.candidate for each in found if not each.ok]
        if silent and len(found) - len(silent) < 2:  # noqa: PLR2004 - a choice needs two
            raise SettingsError(
                f"No answer came from {', '.join(silent)}, so that there is nothing to choose between; once "
                "that is mended, the same command with --again asks once more."
            )
        said = ", ".join(f"{name} {count:,}" for name, count in failed.items())
        err(f"Calls failed, and failed calls count as quality 0: {said}; --again asks them once more.")

    def _ask(self, job: Job) -> bool:
        return run(profiled(self.settings, job)) is None


def _folds(cv: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,2})x(\d{1,2})", cv)
    folds, repeats = (int(found[1]), int(found[2])) if found else (0, 0)
    if folds < 2 or repeats < 1:  # noqa: PLR2004 - two folds are the fewest
        fail(f"--cv takes FOLDSxREPEATS, such as 5x2; found '{cv}'.")
    return folds, repeats


def _quiet(_: str) -> None:
    """Folds pass in seconds; nothing need be said meanwhile."""
