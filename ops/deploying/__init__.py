"""`make deploy` and `make destroy`: steps that can each be run again.

A step has a name, says what it would do (`plan`, which only reads), and does it (`run`). One that
fails raises `StepFailed` with what to do about it; whoever runs the deploy again starts from the
beginning, and what is done already is found done.
"""
