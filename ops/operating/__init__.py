"""An operator's verbs, as short prose. They obey the rules that everybody obeys.

What an operator does to a tenant is a line in its timeline and a nudge; the reconciler decides, as
always. Nothing here changes the cluster or billing facts behind its back.
"""
