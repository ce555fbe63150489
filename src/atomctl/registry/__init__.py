"""The registry: what has been published, who may sign what, and with which keys."""
