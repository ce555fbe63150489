"""ATOM: signed, decided, approved, durable and provable operational workflows."""

__version__ = "0.1.0"
