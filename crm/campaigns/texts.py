"""The sentences that belong to the codes of this room. Translate them with ``crm.core.i18n._`` when they are shown."""

from crm.clearance.texts import VERDICTS
from crm.core.i18n import N_, _

PROBLEMS = {
    "yaml_tab": N_("There is a tab at the start of this line."),
    "yaml_indent": N_("This line starts with {found} spaces; the lines it belongs to start with {wanted}."),
    "yaml_colon": N_("After {name} the colon is missing."),
    "yaml_colon_space": N_("After {name}: the space is missing."),
    "yaml_colon_twice": N_("There is a second colon on this line."),
    "yaml_comma": N_("Between {after} and {before} the comma is missing."),
    "yaml_dash": N_("The sign {sign} does not start an entry of a list."),
    "yaml_dash_space": N_("After the dash the space is missing."),
    "yaml_dash_missing": N_("The dash before this entry is missing."),
    "yaml_quote_open": N_("The quote {sign} that opens here is not closed on this line."),
    "yaml_needs_quotes": N_("This value must stand in quotes as a whole."),
    "yaml_sign_start": N_("A value cannot start with {sign}."),
    "yaml_bracket_open": N_("The bracket {sign} that opens here is not closed."),
    "yaml_bracket_extra": N_("There is one {sign} too many."),
    "yaml_bracket_wrong": N_("{sign} does not close the bracket that was opened in line {opened}."),
    "yaml_wide_sign": N_("{sign} is not the sign {meant}, it only looks like it."),
    "yaml_documents": N_("With --- a second file begins."),
    "yaml_escape": N_("This backslash cannot be read."),
    "yaml_character": N_("There is a sign here that no screen can show."),
    "yaml_other": N_("The file cannot be read from here on."),
    "yaml_empty": N_("The file is empty."),
    "yaml_top": N_("A workflow file is a list of keys with values."),
    "yaml_alias": N_("Anchors and aliases (& and *) cannot be used here."),
    "yaml_long": N_("The file is longer than {most} characters."),
    "key_twice": N_("{name} stands here twice; it stood in line {line} already."),
    "key_unknown": N_("{name} is not known here."),
    "key_misplaced": N_("{name} does not belong here."),
    "key_misplaced_top": N_("{name} does not belong here."),
    "key_missing": N_("{name} is missing."),
    "value_choice": N_("{value} cannot stand here."),
    "value_text": N_("{name} must be a text."),
    "value_list": N_("{name} must be a list."),
    "value_map": N_("{name} must have keys with values."),
    "value_empty": N_("{name} is empty."),
    "value_long": N_("{name} is too long."),
    "value_name": N_("{value} cannot be a name."),
    "value_number": N_("{value} is not a number."),
    "value_yes_no": N_("{value} is neither true nor false."),
    "value_other": N_("{name} cannot be used: {value}."),
    "file_name": N_("The file is called {file}, the workflow {name}."),
    "delay_form": N_("{value} is not a length of time."),
    "delay_long": N_("{value} is too long."),
    "hours_form": N_("{value} are no hours."),
    "hours_never_open": N_("The window {value} never opens: it ends before it starts."),
    "hours_at_night": N_("The window {value} lies at night."),
    "window_weekend": N_("The window never opens: Saturday and Sunday are no working days."),
    "window_country": N_("The window never opens in {countries}: none of its days is a working day there."),
    "exit_form": N_("{value} is not a reason to stop."),
    "exit_stage": N_("{value} is not a stage of the pipeline."),
    "exit_at_once": N_("Every deal has reached the stage {value}: nobody would be written to."),
    "exit_required": N_("{name} must be a reason to stop; the law asks for it."),
    "step_kind": N_("The step {value} must have either mail or task."),
    "attach_to_task": N_("The step {value} is a task; only a letter can have attach."),
    "step_twice": N_("There are two steps called {name}."),
    "step_reserved": N_("A step cannot be called {name}; the word stands for something else."),
    "step_never": N_("The step {name} never happens: its condition is false for everybody."),
    "step_never_here": N_("The step {name} never happens: its condition is false for all who come to it."),
    "condition_always": N_("The condition of the step {name} is true for all who come to it."),
    "date_reserved": N_("A date cannot be called {name}; the word stands for something else."),
    "date_unknown": N_("There is no date {name}."),
    "date_is_anchor": N_("Before {name} cannot be planned: nobody knows its day beforehand."),
    "date_unused": N_("The date {name} is asked for, and no step uses it."),
    "stage_unknown": N_("{name} is not a stage of the pipeline."),
    "event_unknown": N_("{name} cannot be waited for."),
    "outcome_unknown": N_("The step {step} has no outcome {name}."),
    "outcome_none": N_("The step {step} is neither a branch nor a wait, so {name} never comes about."),
    "branch_otherwise": N_("The branch {name} does not say what happens to all others."),
    "arm_after_otherwise": N_("{name} is never reached: {other} above it already takes all others."),
    "arm_unfollowed": N_("No step follows {name}."),
    "arm_never": N_("Nobody comes to {name}: its condition is false for all who come to the branch."),
    "arm_covered": N_("Nobody comes to {name}: the conditions above it take them all."),
    "arm_always": N_("All go to {name}: its condition is true for everybody who comes to the branch."),
    "dead_end": N_("Nothing follows the step {name}."),
    "wait_without_at_most": N_("The step {name} could wait for ever."),
    "after_the_end": N_("The step {name} never happens: {event} ends the follow-up ({reason})."),
    "anchor_count": N_("A step follows exactly one thing."),
    "anchor_unknown": N_("There is no {name} to follow."),
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
    "yaml_tab": N_("Delete it and type spaces."),
    "yaml_indent": N_("Make it {wanted} spaces."),
    "yaml_colon": N_("Write {name}: and a space before the value."),
    "yaml_colon_space": N_("Write {name}: and a space before the value."),
    "yaml_colon_twice": N_("Put the value in quotes: {quoted}"),
    "yaml_comma": N_("Write {after}, {before}"),
    "yaml_dash": N_("Type - (minus) and a space instead."),
    "yaml_dash_space": N_("Type a space behind it."),
    "yaml_dash_missing": N_("Write - and a space before it."),
    "yaml_quote_open": N_("Write {sign} where the text ends."),
    "yaml_needs_quotes": N_("Write {quoted}"),
    "yaml_sign_start": N_("Put the value in quotes: {quoted}"),
    "yaml_bracket_open": N_("Write {closing} where its content ends."),
    "yaml_bracket_extra": N_("Delete it, or write the bracket that should open."),
    "yaml_bracket_wrong": N_("Write {closing} here."),
    "yaml_wide_sign": N_("Switch the keyboard to English and type {meant}"),
    "yaml_documents": N_("Delete the line; one file holds one workflow."),
    "yaml_escape": N_("Put the text in single quotes (') instead of double quotes."),
    "yaml_character": N_("Delete it and type the word again."),
    "yaml_other": N_("Compare the line with those above it: brackets, quotes, commas, and the spaces at its start."),
    "yaml_empty": N_("Copy one of the files in the folder workflows and change it."),
    "yaml_top": N_("Start it with workflow: and a name."),
    "yaml_alias": N_("Write the value out."),
    "key_twice": N_("Remove one of them."),
    "key_misplaced": N_("It belongs to {owner}."),
    "key_misplaced_top": N_("It belongs to the start of a line, without spaces before it."),
    "value_list": N_("Write the entries in square brackets with commas, or one a line with a dash."),
    "value_map": N_("Write name: value pairs in curly brackets with commas, or one a line."),
    "value_number": N_("Write digits only."),
    "value_yes_no": N_("Write true or false."),
    "window_country": N_("Add a day on which people work there."),
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
    "step_never_here": N_("Compare it with the audience and with the branch above: {text}"),
    "condition_always": N_("Leave it out, or compare it with the audience and the branch above: {text}"),
    "date_reserved": N_("Rename it."),
    "date_unknown": N_("Add it under dates: with its name in Korean and English."),
    "date_is_anchor": N_("Use after:, or a date that stands under dates:"),
    "date_unused": N_("Remove it, or let a step follow it."),
    "outcome_none": N_("Write {step} alone."),
    "branch_otherwise": N_("Add a last case such as rest: otherwise"),
    "arm_after_otherwise": N_("Move {other} to the end."),
    "arm_unfollowed": N_("Let a step follow it, or remove the case."),
    "arm_never": N_("Compare it with the audience: {text}"),
    "arm_covered": N_("Move it up, or narrow the conditions above it."),
    "arm_always": N_("Compare it with the audience, or leave out the branch: {text}"),
    "dead_end": N_("Let a step follow one of {outcomes}, or remove it."),
    "wait_without_at_most": N_("Add how long at most, for example at_most: 5 business days"),
    "after_the_end": N_("Remove the step, or take {reason} out of exit_when."),
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
}
"""Why an enrolment ended or a step did not happen."""

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
