"""The verbs, as short prose. Everything they need from outside comes in through ports."""
