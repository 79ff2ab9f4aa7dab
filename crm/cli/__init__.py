"""The command line: everything staff can do, and starting the house itself.

In: arguments. Out: tables or one JSON object a line on stdout, messages on stderr; exit code 0 done, 1 not possible,
2 (wrong input). It holds no rules: each command loads, calls one verb and answers.
"""

import sys


def main() -> None:
    """Run the ``crm`` command and exit with its code."""
    from crm.cli.app import run

    sys.exit(run(sys.argv[1:]))
