"""Edgewise decides, prompt by prompt, whether the edge or the cloud answers."""
