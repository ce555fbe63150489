"""Shell steps as Kubernetes Jobs: one Job per attempt, found again by its name."""
