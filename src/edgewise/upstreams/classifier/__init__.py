"""Text → label on this machine: a classifier bundle and what runs it (onnxruntime and tokenizers alone)."""

from edgewise.upstreams.classifier.bundle import ClassifierBundle, Said
from edgewise.upstreams.classifier.manifest import MANIFEST, ClassifierManifest, Learned, pack

__all__ = ["MANIFEST", "ClassifierBundle", "ClassifierManifest", "Learned", "Said", "pack"]
