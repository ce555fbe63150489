"""Strict parsers and writers of the formats ATOM shares with cosign and other Sigstore clients; no I/O."""
