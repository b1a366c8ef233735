from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgewise.domain.candidates import Price
from edgewise.domain.energy import Joules
from edgewise.settings import (
    POLICY_KINDS,
    CandidateSettings,
    EmbeddingsSettings,
    ExecutionSettings,
    FeaturesSettings,
    LimitsSettings,
    NetworkSettings,
    ObjectiveSettings,
    PolicySettings,
    PrivacySettings,
    ScriptSettings,
    ServerKey,
    ServerSettings,
    Settings,
    StoreSettings,
    load,
    looping,
    monitoring,
    schema,
)
from edgewise.settings.discover import PROVIDERS
from edgewise.settings.monitoring import AlertSettings, EnergySettings, MonitorSettings

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
SECTIONS: dict[str, type[msgspec.Struct]] = {
    "[server]": ServerSettings,
    "[[server.keys]]": ServerKey,
    "[limits]": LimitsSettings,
    "[policy]": PolicySettings,
    "[policy.cascade]": schema.CascadeSettings,
    "[[policy.escalate]]": schema.EscalateSettings,
    "[objective]": ObjectiveSettings,
    "[store]": StoreSettings,
    "[embeddings]": EmbeddingsSettings,
    "[privacy]": PrivacySettings,
    "[signals]": schema.SignalsSettings,
    "[signals.levels.NAME]": schema.LevelSettings,
    "[session]": schema.SessionSettings,
    "[budget]": schema.BudgetSettings,
    "[constraints]": schema.ConstraintsSettings,
    "[[constraints.rules]]": schema.RuleSettings,
    "[[constraints.custom]]": schema.CustomSettings,
    "[execution]": ExecutionSettings,
    "[prompts]": looping.PromptsSettings,
    "[prompts.kinds.NAME]": looping.PromptKindSettings,
    "[profile]": looping.ProfileSettings,
    "[judge]": looping.JudgeSettings,
    "[monitor]": MonitorSettings,
    "[energy]": EnergySettings,
    "[[alerts]]": AlertSettings,
    "[features]": FeaturesSettings,
    "[[candidates]]": CandidateSettings,
    "price": Price,
    "joules_per_token": Joules,
    "network": NetworkSettings,
    "script": ScriptSettings,
    "helped": schema.HelpedSettings,
}


def section(name: str) -> str:
    """The page from this heading to the next one."""
    found = re.search(
        rf"^#+ `{re.escape(name)}`$(.*?)(?=^#+ |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    assert found, f"there is no heading `{name}`"
    return found[1]


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return msgspec.to_builtins(field.default) if field.default is not msgspec.NODEFAULT else "required"


def test_every_class_of_the_schema_has_a_section() -> None:
    classes = {
        kind
        for module in (schema, looping, monitoring)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    }
    assert classes - {msgspec.Struct, Settings} == set(SECTIONS.values())


@pytest.mark.parametrize("name", SECTIONS)
def test_every_setting_stands_there_with_its_default(name: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", section(name), re.MULTILINE))
    fields = {field.name: default_of(field) for field in msgspec.structs.fields(SECTIONS[name])}
    assert list(rows) == list(fields)
    for setting, shown in rows.items():
        default = fields[setting]
        if shown in ("required", "none"):
            assert default == {"required": "required", "none": None}[shown], setting
        else:
            assert msgspec.to_builtins(tomllib.loads(f"x = {shown.strip('`')}")["x"]) == _listed(default), (
                setting
            )


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_every_policy_kind_and_variable_is_named() -> None:
    page = PAGE.read_text()
    assert all(f'`"{kind}"`' in section("[policy]") for kind in POLICY_KINDS)
    for provider in PROVIDERS:
        assert f"`{provider.key_variable}`" in page
        assert f"`{provider.name}_MODEL`" in page
        assert f"`{provider.model}`" in page


EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.partition("\n")[0])
def test_every_example_loads(example: str, tmp_path: Path) -> None:
    file = tmp_path / "edgewise.toml"
    file.write_text(example)
    assert load(file, {}) != Settings()


def test_the_errors_are_the_real_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    candidate = '[[candidates]]\nid = "{}"\nlocation = "edge"\nscript = {{}}\n'
    faults = [candidate.format("a") + candidate.format("b") + 'price = { input = "cheap", output = 1 }']
    faults += ["[server]\nprot = 1"]
    page = PAGE.read_text()
    for fault in faults:
        (tmp_path / "edgewise.toml").write_text(fault)
        with pytest.raises(Exception, match=r"^edgewise\.toml: ") as caught:
            load(environ={})
        assert f"edgewise: {caught.value}\n" in page
