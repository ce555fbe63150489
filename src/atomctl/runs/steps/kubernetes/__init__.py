"""k8s handlers: one action on a cluster each."""
