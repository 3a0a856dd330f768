"""What calls the worker on AWS: the queue's event source, and the schedule.

The functions called are the ones that Lambda calls, with the events that Lambda gets.
"""
