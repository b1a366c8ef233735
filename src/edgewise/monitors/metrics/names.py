"""Every metric by name, with its kind and what it is: the page, the alerts and the panels go by this list."""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
HELP: Final[dict[str, tuple[Kind, str]]] = {
    "edgewise_requests_total": (
        "counter",
        "Requests that ended, by who ended them, who chose, why, and how they ended; shadows aside.",
    ),
    "edgewise_fallbacks_total": (
        "counter",
        "Answers of a candidate that took over after the first one had failed.",
    ),
    "edgewise_attempts_total": ("counter", "Calls to candidates, shadows included, by how each ended."),
    "edgewise_spent_usd_total": (
        "counter",
        "What calls cost in USD, shadows included: billed by reported usage, or estimated.",
    ),
    "edgewise_unpriced_calls_total": ("counter", "Calls whose price nobody knows; they are in no cost."),
    "edgewise_shadow_requests_total": ("counter", "Requests that were asked beside others."),
    "edgewise_duration_seconds": ("histogram", "From a request's arrival to the end of its answer."),
    "edgewise_first_token_seconds": (
        "histogram",
        "From a request's arrival to its first content.",
    ),
    "edgewise_overhead_seconds": (
        "histogram",
        "What Edgewise took of an answer's time, of requests with a single call.",
    ),
    "edgewise_decision_seconds": ("histogram", "How long a decision took."),
    "edgewise_input_tokens": ("histogram", "Tokens that the last call of a request read."),
    "edgewise_output_tokens": ("histogram", "Tokens that the last call of a request wrote."),
    "edgewise_request_cost_usd": ("histogram", "Cost of a request in USD over all of its calls."),
    "edgewise_quality": ("histogram", "Quality as feedback means it, 0 to 1."),
    "edgewise_info": ("gauge", "1, with the version."),
    "edgewise_ready": ("gauge", "1 where requests can be answered, as /readyz says."),
    "edgewise_warnings": ("gauge", "How much is not as it should be, as /readyz lists it."),
    "edgewise_alert": ("gauge", "1 for each of Edgewise's own alerts that stands, 0 for the others."),
    "edgewise_budget_usd": ("gauge", "What may be spent a day in USD, where there is a budget."),
    "edgewise_spent_today_usd": ("gauge", "What calls of this calendar day cost so far in USD."),
    "edgewise_signal": ("gauge", "The device and the links as they are, in the signal's unit."),
    "process_cpu_seconds_total": ("counter", "CPU time of this process in seconds."),
    "process_resident_memory_bytes": ("gauge", "Memory of this process in bytes."),
    "process_start_time_seconds": ("gauge", "When this process began, in unix seconds."),
    "process_open_fds": ("gauge", "Open file descriptors of this process."),
}
