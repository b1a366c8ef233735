"""Text → label on this machine: a classifier bundle and what runs it (onnxruntime and tokenizers alone)."""

from edgewise.domain.labels import Said
from edgewise.upstreams.classifier.bundle import ClassifierBundle
from edgewise.upstreams.classifier.manifest import MANIFEST, ClassifierManifest, Learned, pack

__all__ = ["MANIFEST", "ClassifierBundle", "ClassifierManifest", "Learned", "Said", "pack"]
