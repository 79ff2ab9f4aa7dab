"""What staff state in workflows/tests of the workflows that are shipped."""

from functools import cache
from pathlib import Path

import pytest

from crm.campaigns import harness
from crm.campaigns.definition import Definition
from crm.campaigns.workflows import load_workflows
from crm.core.config import Settings

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "workflows" / "tests").glob("*.yaml"))


@cache
def definitions() -> dict[str, Definition]:
    return {name: found.definition for name, found in load_workflows(Settings()).items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_workflow_does_what_its_tests_state(path: Path) -> None:
    (report,) = harness.run_files([path], definitions(), {})
    assert report.passed, "\n".join([*map(str, report.problems), *harness.told(report)])


def test_every_shipped_workflow_has_tests_that_follow_it_and_one_that_leaves_somebody_out() -> None:
    assert {path.stem for path in FILES} == definitions().keys()
    for report in harness.run_files(FILES, definitions(), {}):
        assert {result.left_out for result in report.results} == {True, False}, report.file


def test_every_step_of_the_shipped_workflows_happens_in_a_test() -> None:
    happened: dict[str, set[tuple[str, str]]] = {}
    for report in harness.run_files(FILES, definitions(), {}):
        came = (row.got for result in report.results for row in result.rows if row.got)
        happened[Path(report.file).stem] = {(line.kind, line.what) for line in came}
    for name, definition in definitions().items():
        shown = {(step.kind, step.what) for step in definition.steps if step.kind not in ("wait", "branch")}
        assert shown <= happened[name], name
