"""Texts as vectors whose closeness is closeness of meaning: a model on this machine, or a provider by setting."""
