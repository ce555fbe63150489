"""Risk score and decision: what may happen with a package, who has to agree, and why. Pure and offline."""
