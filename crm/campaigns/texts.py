"""The sentences that belong to the codes of this room. Translate them with ``crm.core.i18n._`` when they are shown."""

from crm.clearance.texts import VERDICTS
from crm.core.i18n import N_, _

PROBLEMS = {
    "yaml_syntax": N_("This is not valid YAML: {error}."),
    "yaml_empty": N_("The file is empty."),
    "yaml_top": N_("A workflow file is a list of keys with values."),
    "yaml_alias": N_("Anchors and aliases (& and *) cannot be used here."),
    "yaml_long": N_("The file is longer than {most} characters."),
    "key_twice": N_("{name} stands here twice; it stood in line {line} already."),
    "key_unknown": N_("{name} is not known here."),
    "key_missing": N_("{name} is missing."),
    "value_choice": N_("{value} cannot stand here."),
    "value_text": N_("{name} must be a text."),
    "value_list": N_("{name} must be a list."),
    "value_map": N_("{name} must have keys with values."),
    "value_empty": N_("{name} is empty."),
    "value_long": N_("{name} is too long."),
    "value_name": N_("{value} cannot be a name."),
    "value_other": N_("{name} cannot be used: {value}."),
    "file_name": N_("The file is called {file}, the workflow {name}."),
    "delay_form": N_("{value} is not a length of time."),
    "delay_long": N_("{value} is too long."),
    "hours_form": N_("{value} are no hours."),
    "hours_never_open": N_("The window {value} never opens: it ends before it starts."),
    "hours_at_night": N_("The window {value} lies at night."),
    "window_weekend": N_("The window never opens: Saturday and Sunday are no working days."),
    "exit_form": N_("{value} is not a reason to stop."),
    "exit_stage": N_("{value} is not a stage of the pipeline."),
    "exit_at_once": N_("Every deal has reached the stage {value}: nobody would be written to."),
    "exit_required": N_("{name} must be a reason to stop; the law asks for it."),
    "step_kind": N_("The step {value} must have either mail or task."),
    "attach_to_task": N_("The step {value} is a task; only a letter can have attach."),
    "step_twice": N_("There are two steps called {name}."),
    "step_reserved": N_("A step cannot be called {name}; that is the end of the exhibition."),
    "step_never": N_("The step {name} never happens: its condition is false for everybody."),
    "anchor_count": N_("A step follows exactly one thing."),
    "anchor_unknown": N_("There is no step {name} to follow."),
    "anchor_below": N_("The step {name} follows {anchor}, which stands below it."),
    "anchor_circle": N_("These steps wait for each other: {names}."),
    "step_unreachable": N_("The step {name} never happens: it follows {anchor}, which never happens."),
    "template_unknown": N_("There is no letter {name}."),
    "template_languages": N_("The letter {name} is missing in: {languages}."),
    "audience_nobody": N_("The audience is empty: the condition is false for everybody."),
    "condition_long": N_("The condition is longer than {most} characters."),
    "condition_sign": N_("{sign} cannot be used in a condition."),
    "condition_single_equals": N_("A single = compares nothing."),
    "condition_regex": N_("Patterns ({sign}) cannot be used in a condition."),
    "condition_syntax": N_("The condition is not complete or not in order: {text}"),
    "condition_name": N_("{name} is not known in a condition."),
    "condition_types": N_("Things of different kinds are compared: {text}"),
    "condition_order": N_("Texts have no order, < and > are for numbers: {text}"),
    "condition_value": N_("{name} is never {value}."),
    "condition_not_yes_no": N_("The condition is no question with yes or no: {text}"),
}

HINTS = {
    "yaml_syntax": N_("Look at the brackets, quotes and the spaces at the start of the line."),
    "yaml_empty": N_("Copy one of the files in the folder workflows and change it."),
    "yaml_top": N_("Start it with workflow: and a name."),
    "yaml_alias": N_("Write the value out."),
    "key_twice": N_("Remove one of them."),
    "value_name": N_("Use small letters and digits, starting with a letter."),
    "file_name": N_("Make them the same."),
    "delay_form": N_("Write for example 5 business days, 7 days or 36 hours."),
    "delay_long": N_("At most {most} {unit}."),
    "hours_form": N_("Write for example 09:30-11:30."),
    "hours_never_open": N_("Write the earlier time first."),
    "hours_at_night": N_("Letters go out between 06:00 and 22:00."),
    "window_weekend": N_("Add a weekday."),
    "exit_form": N_("Use replied, opted_out, hard_bounced, or stage >= negotiation."),
    "exit_required": N_("Add {name} to exit_when."),
    "step_kind": N_("Remove one of them or add the missing one."),
    "attach_to_task": N_("Remove attach."),
    "step_twice": N_("Rename one of them."),
    "step_reserved": N_("Rename it."),
    "step_never": N_("Correct the condition or remove the step."),
    "anchor_count": N_("Name show_close or one step above, once."),
    "anchor_below": N_("Move it below that step."),
    "anchor_circle": N_("Let one of them follow show_close or a step above."),
    "step_unreachable": N_("Correct the other step first."),
    "template_languages": N_("Add the files {files}."),
    "condition_sign": N_("Use names, texts in quotes, numbers, ==, !=, <, >, <=, >=, in, and, or, not."),
    "condition_single_equals": N_("Write ==."),
    "condition_regex": N_("Compare with == or use in."),
    "condition_types": N_('Put texts in quotes, numbers without; nothing known is "" or 0.'),
    "condition_order": N_("Use == or in; to stop at a stage use exit_when."),
    "condition_not_yes_no": N_("Compare it with something, for example lead.rating >= 4."),
}

EXCLUSIONS = {
    "not_in_audience": N_("The workflow is not meant for this buyer."),
    "country_unknown": N_("The buyer's country is not known, so nobody can say when it is day there. Fill it in."),
    "no_address": N_("The buyer has no e-mail address. Fill it in."),
    "address_bounced": N_("Letters to this buyer came back. Find another address."),
    "suppressed": N_("This address must not be written to."),
    "other_campaign": N_("Another campaign writes to this buyer, or did so with the same letters."),
    "deal_moved_on": N_("The talks are further than this follow-up."),
    "stumbled": N_("The program could not decide about this lead; its log says why."),
}
"""Why a lead is left out of a campaign."""

ENDINGS = {
    "replied": N_("The buyer answered."),
    "opted_out": N_("The buyer does not want letters."),
    "hard_bounced": N_("The address does not exist."),
    "complaint": N_("The buyer complained."),
    "exclusive": N_("The territory is promised to another partner."),
    "stage": N_("The deal is further than this follow-up."),
    "lost": N_("The deal is lost."),
    "campaign_stopped": N_("The campaign was stopped."),
    "manual": N_("A person ended it."),
    "country_unknown": N_("The buyer's country is not known any more."),
    "late": N_("The lead came after this step was due."),
    "condition": N_("The condition of the step was false."),
    "no_window": N_("There was no day on which it could go out."),
    "same_address": N_("The same letter goes to this address already."),
    "returned": N_("The advisor returned the letter."),
    "not_written": N_("The letter could not be written; the advisor has a task for it."),
    "refused": N_("The mail server refused the letter."),
    "after_pause": N_("It was due while the campaign was paused, and takes the next window."),
    "after_standstill": N_("It was due while nothing ran, and takes the next window."),
}
"""Why an enrolment ended, or a step did not happen or moved."""

HINDRANCES = {
    "campaign_paused": N_("The campaign is paused."),
    "campaign_stopped": N_("The campaign was stopped."),
    "step_cancelled": N_("The step was cancelled."),
    "enrolment_ended": N_("The follow-up of this buyer has ended."),
    "out_of_office": N_("The buyer is out of the office."),
}
"""Why the letter of a step may not leave now."""

STATUSES = {
    "draft": N_("in preparation"),
    "running": N_("running"),
    "paused": N_("paused"),
    "stopped": N_("stopped"),
}
"""States of a campaign."""

TASKS = {
    "call": N_("Call {who}"),
    "answer": N_("Answer {who}"),
    "sample": N_("Send a sample to {who}"),
    "quotation": N_("Write a quotation for {who}"),
    "check": N_("Check {who}"),
    "other": N_("Look after {who}"),
}
"""Titles of the tasks that steps make."""

NEAR = N_("Did you mean {near}?")
KNOWN = N_("Known here: {known}.")


def reason_text(code: str) -> str:
    """Return why an enrolment ended or a step did not happen; a verdict of clearance is told by its title."""
    if code in VERDICTS:
        return _(VERDICTS[code][0])
    return _(ENDINGS[code]) if code in ENDINGS else code


def problem_text(code: str, **params: object) -> str:
    """Return the sentence of a problem in the viewer's language."""
    return _(PROBLEMS[code], **params)


def hint_text(code: str, **params: object) -> str:
    """Return what to do about it: the near name if there is one, else the names there are, else the code's own hint."""
    if params.get("near"):
        return _(NEAR, **params)
    if code in HINTS:
        return _(HINTS[code], **params)
    return _(KNOWN, **params) if params.get("known") else ""
