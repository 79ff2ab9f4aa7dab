"""``python -m bench [NAME …]``: runs the named measurements, or lists them."""

import importlib
import sys

MEASUREMENTS = {
    "demo_start": "seconds from a fresh clone to the first page, and on the second start",
    "campaigns": "cost of finding, claiming and planning steps and of a rehearsal, beside a job per letter",
    "drafts": "letters drafted a second beside the bare pipeline of one language, and memory over 10,000",
    "slots": "time of one decision about when a letter may go out",
    "imports": "rows a second and memory of an import beside the bare path of reading and inserting",
    "encodings": "share of random lists whose text encoding is found, by language and by size",
}


def main(names: list[str]) -> int:
    if not names:
        for name, about in MEASUREMENTS.items():
            sys.stdout.write(f"{name:12} {about}\n")
        return 0
    for name in names:
        if name not in MEASUREMENTS:
            sys.stderr.write(f"There is no measurement {name}. Known: {', '.join(MEASUREMENTS)}\n")
            return 2
        importlib.import_module(f"bench.{name}").main()
    return 0


sys.exit(main(sys.argv[1:]))
