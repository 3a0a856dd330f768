"""Runs a function once, as Lambda does: the handler's name, and a file with the event."""

import importlib
import json
import os
import sys
from pathlib import Path

handler, file = sys.argv[1:]
module, _, name = handler.rpartition(".")
event = json.loads(Path(file).read_bytes())
answer = getattr(importlib.import_module(module), name)(event, None)
if answer and answer["statusCode"] != 200:  # noqa: PLR2004 - HTTP's own word for it
    sys.exit(f"{answer}")
os._exit(0)  # a function is frozen after its answer; nothing is torn down
