"""The HTTP API: routes by noun, problem documents, keyset pages, idempotent changes."""
