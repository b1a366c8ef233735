from __future__ import annotations

import random

import pytest
from tests.monitors.drift.drifting import CODE, NOW, PLAIN, forecast, row

from edgewise.domain.intervals import wilson
from edgewise.monitors.drift.calibration import calibration_of
from edgewise.monitors.drift.slices import traits_of, worst_slice
from edgewise.monitors.drift.stream import ADOPTED_AFTER, FIRST, Against, Metric, Stream, least_of, number_of


def feed(stream: Stream, count: int, seed: int, *, quality: float = 0.8, slow: float = 1.0) -> None:
    draw = random.Random(seed)
    against = stream.against
    for _ in range(count):
        answer = row(
            at=NOW + stream.count,
            quality=min(1.0, max(0.0, draw.gauss(quality, 0.15))),
            latency_s=slow * draw.lognormvariate(0.0, 0.3),
            forecast=forecast() if against == "forecast" else None,
        )
        number = number_of(answer, stream.metric, against)
        assert number is not None
        stream.see(answer.at, number, least_of(answer, against))


@pytest.mark.parametrize("against", ["forecast", "past"])
@pytest.mark.parametrize(
    ("metric", "worse", "told"), [("quality", {"quality": 0.5}, 0.3), ("latency_s", {"slow": 2.0}, 2.0)]
)
def test_a_shift_stands_from_when_it_is_sure_until_it_is_over(
    metric: Metric, against: Against, worse: dict[str, float], told: float
) -> None:
    stream = Stream(metric, against)
    feed(stream, 600, seed=1)
    nothing = stream.told
    assert (stream.since, nothing) == (None, 1.0 if metric == "latency_s" else 0.0)
    feed(stream, 200, seed=2, **worse)
    assert stream.since is not None
    assert NOW + 600 < stream.since < NOW + 760
    assert stream.told == pytest.approx(told, rel=0.15)
    feed(stream, 300, seed=3)
    assert stream.told == nothing, "it is over"


def test_what_lasts_becomes_usual_where_only_the_past_is_to_compare_with() -> None:
    stream = Stream("latency_s", "past")
    feed(stream, FIRST + 100, seed=4)
    feed(stream, ADOPTED_AFTER + 400, seed=5, slow=3.0)
    assert stream.since is None
    feed(stream, 500, seed=6, slow=3.0)
    assert stream.since is None, "it is the usual latency by now"


def test_a_forecast_that_was_wrong_from_the_first_is_seen() -> None:
    stream = Stream("quality", "forecast")
    feed(stream, 300, seed=7, quality=0.6)
    assert stream.since is not None


def test_better_than_forecast_is_no_shift() -> None:
    for metric in ("quality", "latency_s"):
        stream = Stream(metric, "forecast")
        feed(stream, 1000, seed=8, quality=0.95, slow=0.3)
        assert stream.since is None


def test_the_part_that_broke_is_named_and_noise_is_not() -> None:
    draw = random.Random(9)
    plain = [(traits_of(row(prompt=PLAIN)), draw.gauss(0.0, 0.2)) for _ in range(200)]
    code = [(traits_of(row(prompt=CODE, key="shop")), draw.gauss(0.4, 0.2)) for _ in range(60)]
    found = worst_slice([*plain, *code])
    assert found is not None
    assert found.samples == 60
    assert found.share == pytest.approx(60 / 260)
    assert found.inside == pytest.approx(0.4, abs=0.1)
    assert found.outside == pytest.approx(0.0, abs=0.1)
    assert "shop" not in found.words, "a client's name leaves nothing"
    assert worst_slice([(traits, draw.gauss(0.0, 0.2)) for traits, _ in [*plain, *code]]) is None


def test_traits_say_what_a_prompt_is_made_of() -> None:
    assert ("prompt", "with code") in traits_of(row(prompt=CODE))
    assert ("prompt", "that end in a question") in traits_of(row(prompt=PLAIN))
    assert ("prompt", "in another script") in traits_of(row(prompt="Как дела сегодня"))
    assert ("prompt", "of over 500 tokens") in traits_of(row(input_tokens=900))
    assert ("prompt", "unlike any that was learned from") in traits_of(row(far=True))
    assert ("key", "shop") in traits_of(row(key="shop", prompt=None))


def test_right_forecasts_have_the_error_of_chance_and_wrong_ones_more() -> None:
    draw = random.Random(10)
    forecasts = [draw.uniform(0.3, 0.95) for _ in range(1000)]
    right = [row(forecast=forecast(q), quality=float(draw.random() < q)) for q in forecasts]
    found = calibration_of("phi", right, [])
    assert (found.labels, len(found.bins)) == (1000, 10)
    assert found.ece is not None
    assert found.by_chance is not None
    assert found.ece < 2.0 * found.by_chance
    wrong = [row(forecast=forecast(q), quality=float(draw.random() < q / 2.0)) for q in forecasts]
    off = calibration_of("phi", wrong, [])
    assert off.ece == pytest.approx(sum(forecasts) / 2000.0, abs=0.04)
    assert off.covered is not None
    assert found.covered is not None
    assert off.covered < 0.2 < found.covered


def test_latencies_within_their_interval_are_counted() -> None:
    rows = [row(latency_s=0.7 if n % 10 else 5.0) for n in range(200)]
    coverage = calibration_of("phi", [], rows).latency
    assert coverage is not None
    assert (coverage.count, coverage.share, coverage.level) == (200, 0.9, 0.9)
    assert coverage.low < 0.9 < coverage.high
    assert coverage.ratio == pytest.approx(0.7**0.9 * 5.0**0.1)
    assert calibration_of("phi", [], [row(forecast=None)]).latency is None


def test_wilsons_interval_is_the_published_one() -> None:
    assert list(wilson(0.0, 10)) == pytest.approx([0.0, 0.2775], abs=1e-3)
    assert list(wilson(0.5, 10)) == pytest.approx([0.2366, 0.7634], abs=1e-3)
