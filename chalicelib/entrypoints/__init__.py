"""What the outside calls: HTTP routes, queue messages, schedules.

Each one parses, calls a service and answers. No decision is made here.
"""
