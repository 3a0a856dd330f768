"""`make deploy` and `make destroy`: steps that can each be run again."""
