"""The states of campaigns, enrolments and steps, as stored."""

DRAFT, RUNNING, PAUSED, STOPPED = "draft", "running", "paused", "stopped"
ACTIVE, EXITED, FINISHED = "active", "exited", "finished"
WAITING, TAKEN, DONE, SKIPPED, CANCELLED = "waiting", "taken", "done", "skipped", "cancelled"
OPEN = (WAITING, TAKEN)
