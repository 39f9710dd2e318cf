"""Composition root: the only place where settings become objects."""
