"""Where bytes lie that are too large for a row: packages and logs, written once under a key."""
