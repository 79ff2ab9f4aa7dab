"""Who is at the door: users by invitation, passwords, sessions, roles.

In: an e-mail address and a password, or the random token of a browser. Out: the ``Viewer`` that every query takes.
Accounts never know which companies a person may see (``exporters`` says that) and never let a page decide it.
"""
