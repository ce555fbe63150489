"""Knowledge: what runbooks and past runs say, found again by words and by meaning, and cited."""
