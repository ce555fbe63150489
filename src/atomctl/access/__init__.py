"""Who asks, and what they may do: tenants, principals, roles, tokens, and the four-eyes predicates."""
