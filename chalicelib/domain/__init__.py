"""All the rules. Pure: no I/O, no clock, no SDK; the same arguments give the same answer."""
