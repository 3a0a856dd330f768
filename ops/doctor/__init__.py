"""Is a stage set up right? A list of checks, each of which says what to do.

`checks` is what can be wrong, each a small function of what `looking` has found; they know no
terminal. A check that cannot look (no rights, no network) says so, and the others go on.
"""
