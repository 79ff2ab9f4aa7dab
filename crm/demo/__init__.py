"""One invented exhibition, lived on this machine: sample data, a local mail server, buyers who answer, a movable clock.

In: nothing. Out: the whole house running on loopback. It never mails a real address: its mail server has no client
code, and it refuses to run with any other.
"""
