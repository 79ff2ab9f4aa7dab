"""Lists the letters of the program as approved as they are: writes ``approvals.yaml`` into each folder of letters.

Run when a text of templates/mail was changed and read; the desk asks nobody to approve what is listed. A text that is
listed already keeps its line.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from crm.campaigns import letters
from crm.core.config import ROOT
from crm.drafts import approvals
from crm.drafts.readiness import APPROVED, MASTER, Decision, Readiness, State

MAIL = ROOT / "templates" / "mail"


def listed(folder: letters.Folder, at: datetime) -> str:
    """Return the list of a folder in which every text is approved as it is."""
    texts = {tongue: letters.digest(folder.files[f"{tongue}.md"]) for tongue in letters.tongues_of(folder.files)}
    known = {(one.tongue, one.text, one.korean): one for one in approvals.read(folder.approvals)}
    states = {}
    for tongue, text in texts.items():
        fresh = Decision(tongue, text, texts[MASTER], APPROVED, approvals.SHIPPED, at)
        states[tongue] = Readiness(State.APPROVED, known.get((tongue, text, texts[MASTER]), fresh))
    return approvals.written(states)


def main(root: Path = MAIL) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for name, folder in letters.folders_in(root).items():
        (root / name / letters.APPROVALS_FILE).write_text(listed(folder, today), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
