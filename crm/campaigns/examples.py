"""The examples of docs/workflows.md, one a feature. A test checks each and compares what it does with what it says."""

from typing import NamedTuple

from crm.campaigns.engine import LAST_STEP_OPEN


class Example(NamedTuple):
    """A feature, what it does, and the keys of a workflow file that show it."""

    title: str
    text: str
    snippet: str


BASE = """\
workflow: example
title: {ko: 예시, en: Example}
audience: contact.country != "KR"
send_window: {days: [tue, wed, thu], hours: 09:30-11:30}
exit_when: [replied, opted_out, hard_bounced]
steps:
  - {id: thanks, after: {show_close: 1 business day}, mail: thank_you}
"""
EXAMPLES = (
    Example("The smallest workflow", "One letter, one business day after the end of the exhibition.", BASE),
    Example(
        "Letters that follow each other",
        "A step counts from the end of the show or from any step above it: when that letter left, or, when the step "
        "was skipped, when it was due. Nothing is planned after a letter that has not left.",
        """\
steps:
  - {id: thanks,    after: {show_close: 1 business day}, mail: thank_you}
  - {id: catalogue, after: {thanks: 4 business days},    mail: catalogue}
  - {id: reminder,  after: {thanks: 30 days},            mail: reminder}
""",
    ),
    Example(
        "Lengths of time",
        "Business days leave out weekends and holidays of the buyer's country; days are calendar days; both end as "
        "the buyer's day begins, and the letter takes the next window. Hours are counted exactly.",
        """\
steps:
  - {id: thanks, after: {show_close: 36 hours},    mail: thank_you}
  - {id: second, after: {thanks: 7 days},          mail: catalogue}
  - {id: third,  after: {second: 5 business days}, mail: reminder}
""",
    ),
    Example(
        "Tasks",
        "A task appears in the advisor's list in Korean office hours. Steps may follow it; it counts as done when it "
        "is made.",
        """\
steps:
  - {id: thanks, after: {show_close: 1 business day}, mail: thank_you}
  - {id: call,   after: {thanks: 3 business days},    task: call}
""",
    ),
    Example(
        "Tasks that are waited for",
        "With `wait: true` what follows waits until a person marks the task as done. A buyer whose task is left alone "
        "gets nothing more.",
        """\
steps:
  - {id: thanks,   after: {show_close: 1 business day}, mail: thank_you}
  - {id: look,     after: {thanks: 5 business days},    task: check, wait: true}
  - {id: proposal, after: {look: 1 business day},       mail: distributor_proposal}
""",
    ),
    Example(
        "Moves of the deal",
        "The worker moves a deal only where nothing has to be proven: to rest (`dormant`). Any other stage becomes a "
        "task `check` in which a person sees to it.",
        """\
steps:
  - {id: thanks,   after: {show_close: 1 business day}, mail: thank_you}
  - {id: reminder, after: {thanks: 20 business days},   mail: reminder}
  - {id: rest,     after: {reminder: 14 days},          move: dormant}
""",
    ),
    Example(
        "Notices",
        "A line on the desk of the advisor, the staff or the exporter; no mail is written.",
        """\
steps:
  - {id: thanks, after: {show_close: 1 business day}, mail: thank_you}
  - {id: tell,   after: {thanks: 20 business days},   notify: exporter}
""",
    ),
    Example(
        "Conditions",
        "`audience` decides who is followed up, `when` whether a step happens; it is asked when the step's letter is "
        "to be written. A step whose condition is false is skipped and the next ones go on.",
        """\
audience: contact.country in ["JP", "CN", "TW"] and lead.interest >= 2
steps:
  - {id: thanks, after: {show_close: 1 business day}, mail: thank_you}
  - {id: sample, after: {thanks: 10 business days}, when: '"sample" in lead.requests', mail: sample_offer}
  - {id: call,   after: {thanks: 5 business days}, when: lead.rating >= 4 and not contact.city == "", task: call}
""",
    ),
    Example(
        "Branches",
        "The first condition that holds is taken; `otherwise` always holds. Steps follow `<id>.<outcome>`; those of "
        "the other ways are never planned.",
        """\
steps:
  - {id: thanks,   after: {show_close: 1 business day}, mail: thank_you}
  - {id: heat,     after: {thanks: 3 business days},    branch: {hot: lead.rating >= 4, rest: otherwise}}
  - {id: call,     after: {heat.hot: 1 business day},   task: call}
  - {id: reminder, after: {heat.rest: 20 days},         mail: reminder}
""",
    ),
    Example(
        "Waiting for an answer",
        "A wait ends when the event comes (`<id>.happened`) or when the time is over (`<id>.timeout`). For steps "
        "after an answer `exit_when` must leave `replied` out; else the answer ends the follow-up.",
        """\
exit_when: [opted_out, hard_bounced, stage >= negotiation]
steps:
  - {id: thanks,   after: {show_close: 1 business day},     mail: thank_you}
  - {id: heard,    after: {thanks: 0 days},                 wait_for: reply, at_most: 10 business days}
  - {id: talk,     after: {heard.happened: 5 business days}, task: call}
  - {id: reminder, after: {heard.timeout: 0 days},          mail: reminder}
""",
    ),
    Example(
        "What happens outside",
        "Steps may follow `reply`, `sample.sent`, `sample.delivered`, `quotation.sent`, `quotation.expires` and "
        "`stage.<stage>`. Advisors note samples and quotations on the page of the deal. Of each event the first "
        "counts. The follow-up stays open for events until `ends`.",
        """\
audience: deal.stage == "sample_or_quotation"
exit_when: [opted_out, hard_bounced, stage >= negotiation]
steps:
  - {id: feedback, after: {sample.delivered: 5 business days}, mail: sample_feedback}
  - {id: arrived,  after: {quotation.sent: 3 business days},   mail: quotation_check}
  - {id: extend,   before: {quotation.expires: 3 days},        task: quotation}
""",
    ),
    Example(
        "Days of the calendar",
        "`dates` are asked for when a campaign is made; steps stand before or after them, or `on` a fixed day. A step "
        "`before` a day is left out when that day has come, one `on` a day when it is more than three days late.",
        """\
dates: {next_show: {ko: 다음 전시회 첫날, en: first day of the next show}}
ends: 400 days
steps:
  - {id: greet,  on: 2026-12-10,              mail: thank_you}
  - {id: invite, before: {next_show: 8 weeks}, mail: invitation}
""",
    ),
    Example(
        "The send window",
        "Days and hours on the buyer's clock, or on Korea's. Weekends of the buyer's country are always left out, "
        "public holidays and quiet seasons (August in Spain, Christmas in Spanish America, Obon) unless `holidays` is "
        "`none`.",
        """\
send_window: {days: [mon, tue, wed, thu, fri], hours: 10:00-16:00, clock: korea, holidays: none}
""",
    ),
    Example(
        "Days that are spared",
        "`day_before_holiday` leaves out the last working day before three or more days off, `ramadan_afternoon` what "
        "is past noon in Ramadan, where it shortens the working day. `holidays: both` minds Korea's holidays too.",
        """\
send_window: {days: [mon, tue, wed], hours: 09:30-16:00, holidays: both, avoid: [day_before_holiday, ramadan_afternoon]}
""",
    ),
    Example(
        "A window for one step",
        "It takes the place of `send_window`, or of Korean office hours for a task.",
        """\
steps:
  - {id: thanks, after: {show_close: 1 business day}, mail: thank_you, window: {days: [mon, fri], hours: 14:00-17:00}}
  - {id: call,   after: {thanks: 3 business days},    task: call, window: {days: [tue, thu], hours: 10:00-12:00}}
""",
    ),
    Example(
        "Never too many letters",
        "A letter that would be one too many is skipped with the reason; what follows it goes on. The checker says "
        "when a way through the file has more letters than the cap.",
        """\
cap: {letters: 4, within: 45 days}
""",
    ),
    Example(
        "The end at the latest",
        "After this time nothing more comes, whatever is still waited for.",
        """\
ends: 120 days
""",
    ),
    Example(
        "What ends the follow-up",
        "An answer, an opt-out, a letter that came back, or a stage of the deal. Every file must name opt-outs "
        "and returned letters, since the law asks for it. A lost deal always ends it.",
        """\
exit_when: [replied, stage >= negotiation, opted_out, hard_bounced]
""",
    ),
    Example(
        "Links to the catalogue",
        "The letter links to the catalogue in the buyer's language, or in English where there is none.",
        """\
steps:
  - {id: catalogue, after: {show_close: 5 business days}, mail: catalogue, attach: catalogue}
""",
    ),
    Example(
        "When the buyer answers",
        "The deal moves and the advisor gets a task with its time.",
        """\
on_reply: {move: replied, task: answer, within: 1 business day}
""",
    ),
    Example(
        "When a letter comes back, when the buyer is away",
        "A returned letter ends the follow-up and makes a task. A buyer who is away gets nothing until the return; "
        "steps keep their distances, days of the calendar stay.",
        """\
on_bounce: {task: check, within: 2 business days}
on_out_of_office: {hold: until_return, at_most: 30 days, otherwise: 7 days}
""",
    ),
    Example(
        "When the deal reaches a stage",
        "A task, once for each stage, also when the follow-up is over.",
        """\
on_stage: {sample_or_quotation: {task: sample, within: 2 business days}}
""",
    ),
    Example(
        "Leads that come late",
        "`start_at_first_open_step` begins with the letter whose time came last (the last letter stays open for "
        f"{LAST_STEP_OPEN.days} days), `skip_missed` leaves out everything that was due, `start_from_beginning` counts "
        "from the day the lead came.",
        """\
late_import: skip_missed
""",
    ),
)
TESTS = """\
workflow: example
show_closes: 2026-10-16
tests:
  - test: Thanks go out on Tuesday morning in Berlin, and an answer becomes a task
    buyer: {country: DE, city: Berlin, rating: 3}
    happens:
      - {at: 2026-10-22 20:00, event: reply}
    expect:
      - {at: 2026-10-20 09:30, mail: thank_you}
      - {at: 2026-10-23 20:00, task: answer}
  - test: Korean buyers are for another workflow
    buyer: {country: KR}
    followed: false
"""
"""Tests of the smallest workflow, as they are shown."""
