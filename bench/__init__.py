"""Measurements, each beside its floor or a peer in one run: `python -m bench`."""
