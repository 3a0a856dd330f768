"""What the outside calls: HTTP routes, queue messages, schedules.

Each one parses, calls a service and answers. No decision is made here.
"""

import gc

gc.set_threshold(100_000, 20, 20)  # a start makes as many objects, and none of them is garbage
