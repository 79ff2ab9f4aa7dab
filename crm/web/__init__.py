"""The pages: load what the viewer may see, call one verb, answer.

In: requests of a browser. Out: pages in Korean or English that work without script, with no rule of their own.
The web never decides who may do what, never sends a letter, and never holds state between two requests.
"""
