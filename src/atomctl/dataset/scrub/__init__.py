"""Scrubbing: what must not leave is found in every reading of a text and taken out of all of them."""
