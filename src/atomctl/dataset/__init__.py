"""Training-data export: finished runs of one tenant as scrubbed, labelled rows under a signed manifest."""
