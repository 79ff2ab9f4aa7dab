"""Workflow files become due steps: who is followed up, with what, and when in the buyer's own calendar.

In: checked workflow files, exhibitions and leads. Out: campaigns, enrolments, step rows with a due time, a rehearsal.
Campaigns never writes or sends a letter, and never keeps one scheduler job a mail: the rows are the schedule.
"""
