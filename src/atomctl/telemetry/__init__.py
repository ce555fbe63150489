"""What the processes say about themselves: metrics from one catalogue, and logs without secrets."""
