"""What speaks to a Kubernetes cluster: connection, objects, permissions, failures. Knows nothing of runs."""
