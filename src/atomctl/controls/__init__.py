"""The twelve controls: what ATOM promises, probed on a running deployment, each with proof that its check can fail."""
