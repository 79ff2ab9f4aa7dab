"""Reads one file in a process of its own; tells how it ended and its cost: ``python -m tests.imports.probe FILE``.

Its time is that of the processor, our own and the child's: on the clock a busy machine would count too."""

import json
import resource
import sys
from pathlib import Path

from crm.core.errors import BadInput
from crm.imports.reading import open_source


def main(path: str) -> None:
    """Print {"code", "sentence", "records", "cells", "seconds", "megabytes"}; the last is the peak with the child's."""
    data = Path(path).read_bytes()
    told: dict[str, object] = {"code": "", "sentence": "", "records": 0, "cells": 0}
    try:
        for table in open_source(data, Path(path).name).tables:
            for record in table.records():
                told["records"] = int(str(told["records"])) + 1
                told["cells"] = int(str(told["cells"])) + len(record)
    except BadInput as error:
        told |= {"code": error.code, "sentence": str(error)}
    # A process begins with the peak of the one that started it, so our own is read where that is not counted.
    own = int(next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line).split()[1])
    us, child = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = us.ru_utime + us.ru_stime + child.ru_utime + child.ru_stime
    told |= {"seconds": seconds, "megabytes": (own + child.ru_maxrss) / 1024}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
