"""The package format: manifest, parameters, expressions, deterministic archive, safe unpack.

What comes in is bytes and what goes out is frozen values; only `archive.load_source` and `archive.extract` touch files.
Nothing heavier than the YAML reader and the schema validator is imported before it is needed.
"""
