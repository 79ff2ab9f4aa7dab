"""People, their firms and addresses, what they consented to and refused, and where we met them.

In: canonical rows and people's edits. Out: contacts, leads (person × exporter × exhibition), consents, suppressions.
It never overwrites a person's edit with a blank, never lifts an opt-out, and never decides alone who is whom in doubt.
"""
