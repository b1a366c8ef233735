from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from edgewise.domain.errors import SettingsError
from edgewise.settings import Settings, check, load
from edgewise.settings.load import from_tree

HASH = "sha256:" + "0" * 64
SECRET = "sk-proj-4f9aKq83Lm2xZ7"


def edge(more: str = "", *, name: str = "a", place: str = 'url = "http://127.0.0.1:1/v1"') -> str:
    return f'[[candidates]]\nid = "{name}"\nlocation = "edge"\n{place}\n{more}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(text: str | bytes, folder: Path) -> str:
    """What `load` says of this file, which it must refuse."""
    file = folder / "edgewise.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as caught:
        load(environ={})
    return str(caught.value)


def test_no_file_is_all_defaults(folder: Path) -> None:
    assert load(environ={}) == Settings()


def test_the_file_in_the_current_folder_is_read(folder: Path) -> None:
    (folder / "edgewise.toml").write_text("\ufeff[server]\r\nport = 9000\r\n", encoding="utf-8")
    assert load(environ={}).server.port == 9000


def test_a_named_file_must_exist(folder: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"^other\.toml: there is no such file; expected an edgewise\.toml\.$"
    ):
        load(Path("other.toml"), {})


def test_every_value_arrives(folder: Path) -> None:
    (folder / "edgewise.toml").write_text(
        edge(
            'api_key_env = "A_KEY"\nprice = { input = 1, output = 2.5 }\nnetwork = { delay_ms = 3 }', name="x"
        )
        + '[policies.half]\nkind = "random"\nexplore = 0.5\n[policies.half.options]\nanything = [1, "b"]\n'
    )
    loaded = load(environ={})
    only = loaded.candidates[0]
    assert (only.id, only.api_key_env, only.timeout_s) == ("x", "A_KEY", 600.0)
    assert only.price is not None
    assert (only.price.input, only.price.output) == (1.0, 2.5)
    assert only.network is not None
    assert only.network.delay_ms == 3.0
    assert loaded.policies["half"].options == {"anything": [1, "b"]}


def test_a_bundle_lies_beside_the_file(tmp_path: Path) -> None:
    file = tmp_path / "edgewise.toml"
    file.write_text(
        '[policy]\nkind = "bundle"\nbundle = "mine"\n[policies.p]\nkind = "bundle"\nbundle = "/b"'
    )
    loaded = load(file, {})
    assert loaded.policy.bundle == str(tmp_path / "mine")
    assert loaded.policies["p"].bundle == "/b"


def cascade(more: str) -> str:
    return f"[policy]\nkind = 'cascade'\n{more}"


FAULTS = [
    ("[server]\nport = '80'", 'server.port is "80"; expected a whole number'),
    ("[server]\nport = true", "server.port is true; expected a whole number"),
    ("[server]\nport = 65536", "server.port is 65536; expected a port from 0 (any free one) to 65535"),
    ("[server]\nport = 1979-05-27", "server.port is a date or a time; expected a whole number"),
    (f"[server]\nport = {10**30}", f"server.port is {10**30}; expected a whole number of at most 64 bits"),
    ("[server]\nhost = ''", 'server.host is ""; expected an address or a host name, such as 127.0.0.1'),
    ("[server]\nbody_timeout_s = 0", "server.body_timeout_s is 0.0; expected a number above 0"),
    ("[server]\nprot = 1", "server.prot is not a setting; did you mean server.port?"),
    ("port = 1", "port is not a setting at the top; did you mean server.port?"),
    ("[sevrer]\nport = 1", "sevrer is not a setting; did you mean server?"),
    ("[objective]\nx = 1", "objective.x is not a setting; expected one of name"),
    ("server = 3", "server is 3; expected a table with host, port, "),
    ("candidates = 'a'", 'candidates is "a"; expected tables under [[candidates]]'),
    ("[candidates]\nid = 'a'", "candidates is a table; expected tables under [[candidates]]"),
    ("[[candidates]]\nid = 'a'", 'candidates[0].location is missing; expected "cloud" or "edge"'),
    ("[[candidates]]\nlocation = 'edge'", "candidates[0].id is missing; expected a text"),
    (
        edge() + edge("price = { input = 'cheap', output = 1 }", name="b"),
        'candidates[1].price.input is "cheap"; expected a number',
    ),
    (edge("price = { input = 1 }"), "candidates[0].price.output is missing; expected a number"),
    (
        edge("price = { input = 1, output = 1, cached = 1 }"),
        "candidates[0].price.cached is not a setting; expected one of input, output",
    ),
    (
        edge("price = { input = -1, output = 1 }"),
        "candidates[0].price.input is -1.0; expected a number of 0 or more",
    ),
    (
        edge("price = { input = inf, output = 1 }"),
        "candidates[0].price.input is inf; expected a number of 0 or more",
    ),
    (edge() + edge(), 'candidates[1].id is "a"; expected a name that candidates[0] does not have already'),
    (edge(name="auto"), 'candidates[0].id is "auto"; expected a name other than "auto"'),
    (edge(name="auto:x"), 'candidates[0].id is "auto:x"; expected a name other than "auto"'),
    (edge(place=""), "candidates[0] says nowhere to ask; expected exactly one of url, embedded and script"),
    (
        edge("script = {}"),
        "candidates[0] has url and script; expected exactly one of url, embedded and script",
    ),
    (edge("embedded = 'm'"), "candidates[0] has url and embedded; expected exactly one of"),
    (edge(place="embedded = ' '"), 'candidates[0].embedded is " "; expected a text on one line'),
    (
        edge(place="script = { replies = [] }"),
        "candidates[0].script.replies is empty; expected at least one text",
    ),
    (
        edge(place="script = { replies = 'x' }"),
        'candidates[0].script.replies is "x"; expected a list of texts',
    ),
    (edge("model = ''"), 'candidates[0].model is ""; expected a text on one line that is not empty'),
    (edge("context_tokens = 0"), "candidates[0].context_tokens is 0; expected a number above 0"),
    (edge("power_watts = nan"), "candidates[0].power_watts is nan; expected a number of 0 or more"),
    (edge("timeout_s = -1"), "candidates[0].timeout_s is -1.0; expected a number above 0"),
    (edge("network = { loss = 1.5 }"), "candidates[0].network.loss is 1.5; expected a number from 0 to 1"),
    (
        edge("network = { quality = -1 }"),
        "candidates[0].network.quality is -1.0; expected a number from 0 to 1",
    ),
    (
        edge("network = { delay_ms = -1 }"),
        "candidates[0].network.delay_ms is -1.0; expected a number of 0 or more",
    ),
    (
        edge("network = { jitter_ms = -1 }"),
        "candidates[0].network.jitter_ms is -1.0; expected a number of 0 or more",
    ),
    (edge("network = { seed = 0.5 }"), "candidates[0].network.seed is 0.5; expected a whole number"),
    (edge("kind = 'talk'"), 'candidates[0].kind is "talk"; expected "chat" or "classifier"'),
    (
        "[policy]\nkind = 'complexty'",
        'policy.kind is "complexty"; expected "bundle", "cascade", "complexity", "edge-first", '
        '"fixed", "random" or "tiers" (did you mean complexity?)',
    ),
    ("[policy]\nexplore = 1.1", "policy.explore is 1.1; expected a number from 0 to 1"),
    ("[policy]\nexplore = nan", "policy.explore is nan; expected a number from 0 to 1"),
    ("[policy]\nkind = 'fixed'", 'policy.candidate is missing; expected it beside kind = "fixed"'),
    ("[policy]\nkind = 'bundle'", 'policy.bundle is missing; expected it beside kind = "bundle"'),
    ("[policy]\ncandidate = 'a'", 'policy.candidate has no effect; expected it only beside kind = "fixed"'),
    (
        "[policy]\nkind = 'fixed'\ncandidate = 'z'\n" + edge(),
        'policy.candidate is "z"; expected a candidate\'s id: "a"',
    ),
    (
        "[policy]\ncascade = { hold_s = 3 }",
        'policy.cascade has no effect; expected it only beside kind = "cascade"',
    ),
    (
        "[[policies.x.escalate]]\nname = 'a'\nwords = ['b']",
        'policies.x.escalate has no effect; expected it only beside kind = "cascade"',
    ),
    (
        "[policy]\nkind = 'cascade'\nbundle = 'deployed'",
        'policy.bundle is "deployed"; expected a bundle\'s folder beside a cascade',
    ),
    (
        "[policy]\nkind = 'cascade'\nbundle = 'mine'\noptions = { threshold = 1 }",
        "policy.options has no effect; expected it only without a bundle",
    ),
    (
        cascade("cascade = { hold_s = 0 }"),
        "policy.cascade.hold_s is 0.0; expected a number of seconds above 0",
    ),
    (
        cascade("cascade = { confidence = 2 }"),
        "policy.cascade.confidence is 2.0; expected a number from 0 to 1",
    ),
    (
        cascade("escalate = [{ name = ' ' }]"),
        'policy.escalate[0].name is " "; expected a text on one line that',
    ),
    (
        cascade("escalate = [{ name = 'a' }]"),
        "policy.escalate[0] says nothing to look for; expected words, labels or when",
    ),
    (
        cascade("escalate = [{ name = 'a', words = ['*'] }]"),
        'policy.escalate[0].words[0] is "*"; expected a word or a phrase',
    ),
    (
        cascade("escalate = [{ name = 'a', words = ['*manager*'] }]"),
        'policy.escalate[0].words[0] is "*manager*"; expected a * at its end only',
    ),
    (
        cascade("escalate = [{ name = 'a', labels = [''] }]"),
        'policy.escalate[0].labels[0] is ""; expected a label',
    ),
    (
        cascade("escalate = [{ name = 'a', labels = ['b'], stays = ['c'] }]"),
        "policy.escalate[0].stays has no effect; expected it only beside words",
    ),
    (
        cascade("escalate = [{ name = 'a', labels = ['b'] }, { name = 'a', labels = ['c'] }]"),
        'policy.escalate[1].name is "a"; expected a name that no rule before it has',
    ),
    ("[policies.x]\nkind = 3", "policies.x.kind is 3; expected a text"),
    ("[policies]\nx = 3", "policies.x is 3; expected a table with kind, explore, "),
    (
        "[policies.'a b']\nkind = 'random'",
        'policies."a b" is "a b"; expected printable ASCII without spaces, commas',
    ),
    ("[policies.x]\nkind = 'fixed'\ncandidate = 'z'\n" + edge(), 'policies.x.candidate is "z"; expected a'),
    ("[store]\nmax_age_days = -1", "store.max_age_days is -1.0; expected a number of 0 or more"),
    ("[store]\nmax_size_mb = -1", "store.max_size_mb is -1.0; expected a number of 0 or more"),
    ("[store]\nprompts = 'all'", 'store.prompts is "all"; expected "full", "hash" or "none"'),
    ("[store]\npath = ''", 'store.path is ""; expected a text on one line that is not empty'),
    (
        "[server]\nhost = '0.0.0.0'",
        "server.host lets other machines in, and no key is set; expected [[server.keys]], "
        "which `edgewise keys new --name NAME` prints, or the host 127.0.0.1",
    ),
    (
        f"[[server.keys]]\nname = 'k'\nhash = '{HASH[:-1]}'",
        "server.keys[0].hash is not a key's hash; expected sha256: and 64 hexadecimal digits",
    ),
    (
        f"[[server.keys]]\nname = 'k'\nhash = '{HASH}'\nscopes = []",
        "server.keys[0].scopes is empty; expected at least",
    ),
    (
        f"[[server.keys]]\nname = 'k'\nhash = '{HASH}'\nscopes = ['root']",
        'server.keys[0].scopes[0] is "root"; expected "admin", "inference" or "read"',
    ),
    (
        f"[[server.keys]]\nname = 'k'\nhash = '{HASH}'\n" * 2,
        'server.keys[1].name is "k"; expected a name that server.keys[0] does not have already',
    ),
    (f"[server]\nhost = '{'h' * 39}!{'h' * 39}'", f'server.host is "{"h" * 39}…"; expected an address'),
    ("[server]\nhost = '''a\nb'''", 'server.host is "a\\u000ab"; expected an address'),
    ('[server]\nhost = "\\u001b[2J"', 'server.host is "\\u001b[2J"; expected an address'),
    ("x = ", "is not TOML: Invalid value (at "),
    (b"x = '\xff'", "is not UTF-8; expected TOML in UTF-8"),
    ("x = " + "[" * 5000, "is nested too deeply; expected tables and lists as documented"),
    (f"x = {'1' * 5000}", "is not TOML: "),
]


@pytest.mark.parametrize(("text", "sentence"), FAULTS, ids=[sentence[:50] for _, sentence in FAULTS])
def test_one_sentence_says_what_is_wrong(text: str | bytes, sentence: str, folder: Path) -> None:
    said = refusal(text, folder)
    assert said.startswith(f"edgewise.toml: {sentence}")
    assert said.endswith((".", "?"))
    assert "\n" not in said


@pytest.mark.parametrize("name", ["a b", "a,b", "a/b", "é", "", "a\u007f"])
def test_an_id_must_travel_in_a_header(name: str, folder: Path) -> None:
    said = refusal(edge(name=json.dumps(name)[1:-1]), folder)
    assert "candidates[0].id is " in said
    assert said.endswith("expected printable ASCII without spaces, commas and slashes.")


@pytest.mark.parametrize("name", ["qwen2.5:7b", "gpt-4o-mini", "a@b+c", "auto-1", "[x]"])
def test_these_ids_do(name: str) -> None:
    tree = {"candidates": [{"id": name, "location": "edge", "script": {}}]}
    assert from_tree(tree, source="x").candidates[0].id == name


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        (f"https://me:{SECRET}@api.example.com/v1", "has a secret in it"),
        ("https://me@api.example.com/v1", "has a secret in it"),
        (f"https://api.example.com/{SECRET}/v1", "has a secret in it"),
        (f"https://api.example.com/v1?key={SECRET}", "has a secret in it"),
        ("https://api.example.com/v1?key=hunter2", "has something after ? or #"),
        ("https://api.example.com/v1#", "has something after ? or #"),
        ("api.example.com/v1", "does not begin with http:// or https://"),
        ("ftp://api.example.com", "does not begin with http:// or https://"),
        ("https:///v1", "names no host"),
        ("http://host:99999/v1", "is not a URL"),
        ("http://host:0/v1", "is not a URL"),
        ("http://[::1/v1", "is not a URL"),
        ("http://127.0.0.1\\@evil.example/v1", "is not a URL"),
        ("http://127.0.0.1 /v1", "is not a URL"),
        ("http://\uff11\uff12\uff17.0.0.1/v1", "is not a URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_not_repeated(url: str, wrong: str, folder: Path) -> None:
    said = refusal(edge(place=f"url = {json.dumps(url, ensure_ascii=False)}"), folder)
    assert said.startswith(f"edgewise.toml: candidates[0].url {wrong}; expected ")
    assert url not in said
    for part in ("me", "hunter2", SECRET, "evil"):
        assert not re.search(rf"\b{part}\b", said)


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        "sk_live_12345678abcdef",
        "gsk_Zx81PqLmNv02TyUo",
        "AIzaSyD4f9aKq83Lm2xZ7Bc",
        "hf_abcdefgh12",
        "3f786850e387550fdab836ed7e6dc881",
        "3F786850E387550FDAB836ED7E6DC881",
        "my key",
        "",
    ],
)
def test_a_key_in_place_of_its_variable_is_not_repeated(value: str, folder: Path) -> None:
    said = refusal(edge(f'api_key_env = "{value}"'), folder)
    assert said.startswith(
        "edgewise.toml: candidates[0].api_key_env is not the name of an environment variable; "
    )
    assert not value or value not in said


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "_k", "MY_COMPANY_OPENAI_API_KEY_2024_PRODUCTION_EU_1", "groqKey"]
)
def test_these_are_names_of_variables(name: str, folder: Path) -> None:
    (folder / "edgewise.toml").write_text(edge(f'api_key_env = "{name}"'))
    assert load(environ={}).candidates[0].api_key_env == name


def test_an_api_key_in_the_file_is_refused_with_its_right_place(folder: Path) -> None:
    said = refusal(edge(f'api_key = "{SECRET}"'), folder)
    assert (
        said
        == "edgewise.toml: candidates[0].api_key is not a setting; did you mean candidates[0].api_key_env?"
    )


def test_an_id_that_looks_like_a_key_is_not_offered(folder: Path) -> None:
    said = refusal(f"[policy]\nkind = 'fixed'\ncandidate = 'z'\n{edge(name=SECRET)}", folder)
    assert said.startswith('edgewise.toml: policy.candidate is "z"; expected a candidate\'s id: ')
    assert SECRET not in said


def test_loopback_hosts_need_no_key_and_others_are_content_with_one(folder: Path) -> None:
    for host in ("localhost", "127.8.9.1", "::1"):
        (folder / "edgewise.toml").write_text(f"[server]\nhost = '{host}'")
        assert load(environ={}).server.host == host
    (folder / "edgewise.toml").write_text(
        f"[server]\nhost = '0.0.0.0'\n[[server.keys]]\nname = 'k'\nhash = '{HASH}'"
    )
    assert load(environ={}).server.keys[0].scopes == ("inference", "read")


def test_known_policies_can_be_passed_in(folder: Path) -> None:
    (folder / "edgewise.toml").write_text("[policy]\nkind = 'mine'")
    assert load(environ={}, kinds=["mine"]).policy.kind == "mine"
    with pytest.raises(SettingsError, match='expected "yours"'):
        load(environ={}, kinds=["yours"])


def test_settings_that_were_changed_in_code_can_be_checked_again() -> None:
    moved = msgspec.structs.replace(Settings().server, host="0.0.0.0")  # noqa: S104 - nobody listens
    with pytest.raises(SettingsError, match=r"^--host: server\.host lets other machines in"):
        check(msgspec.structs.replace(Settings(), server=moved), source="--host")


def test_a_folder_is_no_file(folder: Path) -> None:
    (folder / "edgewise.toml").mkdir()
    with pytest.raises(SettingsError, match=r"^edgewise\.toml: cannot be read \("):
        load(environ={})
