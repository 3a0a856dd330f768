"""Runs a function once, as Lambda does: the handler's name, and a file with the event."""

import importlib
import json
import sys

handler, file = sys.argv[1:]
module, _, name = handler.rpartition(".")
with open(file, "rb") as f:
    event = json.load(f)
answer = getattr(importlib.import_module(module), name)(event, None)
if answer and answer["statusCode"] != 200:
    sys.exit(f"{answer}")
