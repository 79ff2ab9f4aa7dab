"""One English sentence per code of an import; Korean stands in crm/locale/ko/imports.po.

``{n}`` is the row, ``{v}`` the value, shortened. ``say`` translates with whatever parameters the issue carries.
"""

from collections.abc import Mapping
from typing import Any

from crm.core.i18n import N_, _

ROW_WARNINGS = {
    "not_mailable": N_("Row {n}: no e-mail address, so no mail can be sent."),
    "email_invalid": N_("Row {n}, column “{column}”: “{v}” is not a valid e-mail address; left empty. Correct it."),
    "email_multiple": N_("Row {n}, column “{column}”: several addresses in “{v}”; the first one is used."),
    "email_legacy_exchange": N_("Row {n}, column “{column}”: internal Exchange address “{v}” ignored."),
    "email_from_hyperlink": N_("Row {n}, column “{column}”: address {v} taken from the cell's link."),
    "role_mailbox": N_("Row {n}, column “{column}”: {v} is a shared mailbox; find the person."),
    "no_person_name": N_("Row {n}: no person; letters go to the company."),
    "phone_unreadable": N_("Row {n}, column “{column}”: “{v}” has lost digits in Excel; check the source."),
    "phone_invalid": N_("Row {n}, column “{column}”: “{v}” is not a telephone number that can be read; left empty."),
    "phone_zero_restored": N_("Row {n}, column “{column}”: leading zero of the telephone number restored ({v})."),
    "phone_multiple": N_("Row {n}, column “{column}”: several telephone numbers in “{v}” were separated."),
    "name_honorific_removed": N_("Row {n}, column “{column}”: courtesy title taken out of the name “{v}”."),
    "title_from_name": N_("Row {n}, column “{column}”: job title “{v}” moved from the name cell."),
    "title_from_company": N_("Row {n}, column “{column}”: job title “{v}” moved from the company cell."),
    "name_extra_removed": N_(
        "Row {n}, column “{column}”: “and n others” removed from “{v}”; add the others separately."
    ),
    "control_chars_removed": N_("Row {n}, column “{column}”: invisible characters removed from “{v}”."),
    "placeholder_char": N_("Row {n}, column “{column}”: a character of “{v}” is missing; correct it before mailing."),
    "undecodable_text": N_("Row {n}, column “{column}”: a cut character at the end of “{v}” was dropped."),
    "formula_like": N_("Row {n}, column “{column}”: “{v}” looks like a formula; stored as text."),
    "cell_truncated": N_(
        "Row {n}, column “{column}”: only the first {limit} characters of “{v}” kept; the original row has all."
    ),
    "country_from_city": N_("Row {n}, column “{column}”: country derived from the city ({v})."),
    "country_unknown": N_("Row {n}, column “{column}”: country “{v}” not recognised."),
    "rating_unreadable": N_("Row {n}, column “{column}”: rating “{v}” not understood; kept as a note."),
    "language_unreadable": N_("Row {n}, column “{column}”: language “{v}” not recognised."),
    "consent_unreadable": N_("Row {n}, column “{column}”: consent “{v}” not understood; treated as not given."),
    "consent_privacy_missing": N_("Row {n}, column “{column}”: privacy consent blank; mailing blocked."),
    "merged_cell_filled": N_("Row {n}, column “{column}”: value “{v}” taken from the merged cell."),
    "hidden_row": N_("Row {n}: hidden row was read too."),
    "date_year_assumed": N_("Row {n}, column “{column}”: “{v}” has no year; that of the exhibition was taken."),
    "date_unreadable": N_("Row {n}, column “{column}”: date “{v}” not readable."),
    "corrected": N_("Row {n}, column “{column}”: “{v}” was corrected by hand to “{now}”."),
    "consent_not_corrected": N_(
        "Row {n}, column “{column}”: consents are read from the file only; the correction was not used."
    ),
    "sensitive_dropped": N_(
        "Row {n}: the column “{column}” (identity number, birth date, private address) was not stored."
    ),
    "exporter_unknown": N_("Row {n}: no exporter is known as “{v}”; no lead was made."),
    "exporter_missing": N_("Row {n}: no exporter is named; the contact was stored without a lead."),
    "suppressed": N_("Row {n}: {v} has opted out or bounced before and stays suppressed."),
    "kept_human_edit": N_("Row {n}: “{field}” was edited by a person and was kept."),
    "third_party_refused": N_("Row {n}: sharing with exhibitors refused; stored for the organiser only."),
    "ambiguous_person": N_("Row {n}: “{v}” may be somebody already known; stored separately for review."),
    "email_of_other": N_("Row {n}: {v} already belongs to another person; not taken over."),
    "unknown_request": N_("Row {n}: request “{v}” is kept as a note."),
}
ROW_REFUSALS = {
    "no_identity": N_("Row {n}: neither e-mail nor phone nor name with company."),
    "consent_privacy_refused": N_("Row {n}: consent to data processing refused; not stored."),
    "row_shape": N_("Row {n}: more cells than the header; values may have shifted. Check commas and quotes."),
    "test_row": N_("Row {n}: looks like a test entry."),
    "malformed_card": N_("Card {n}: not complete; its end is missing. Export the address book again."),
    "left_out": N_("Row {n}: left out by hand."),
}
SKIPPED_LINES = {
    "title_row": N_("Title line"),
    "group_header_row": N_("Group header line"),
    "blank_row": N_("Blank line"),
    "repeated_header": N_("Repeated header"),
    "totals_row": N_("Totals line"),
    "note_row": N_("Remark line"),
    "section_row": N_("Section line"),
    "group_card": N_("Card of a group"),
}
FILE_NOTES = {
    "encoding_guessed": N_("The text encoding was guessed: {encoding}. Check the first rows."),
    "encoding_damaged": N_("{count} characters could not be read."),
    "unknown_columns": N_("Columns without a field were kept with their rows: {names}."),
    "guessed_columns": N_("Columns recognised by their ending: {names}. Please check."),
    "columns_by_value": N_("Columns recognised by what stands in them: {names}. Please check."),
    "columns_not_as_named": N_(
        "Columns whose values do not fit their names were kept with their rows only: {names}. Please check."
    ),
    "header_missing": N_(
        "No header line was found; the list was read from its first line on and its columns by what stands in them. "
        "Please check."
    ),
    "consent_crosses": N_(
        "The column “{column}” holds nothing but X, which means ticked in some lists and refused in others. It was "
        "read as not given; write yes or no instead."
    ),
    "date_order_guessed": N_("The order of day and month in “{column}” was guessed: {order}."),
    "home_guessed": N_("National telephone numbers were read as those of {country}, as the headers suggest."),
    "date_1904": N_("The workbook counts days from 1904; the dates were converted."),
    "header_asked": N_(
        "No header line was found. Say which line it is, or say what the columns are: the list is then read from its "
        "first line on."
    ),
    "sheet_skipped": N_("No table was found on the sheet “{sheet}”; it was skipped."),
    "hidden_rows": N_("{count} hidden rows were read too."),
    "macro_workbook": N_("The workbook contains macros; only its values were read."),
    "already_imported": N_("This very file was imported before, on {day}."),
}
FILE_ERRORS = {
    "empty_file": N_("The file is empty."),
    "too_large": N_("The file is larger than {megabytes} MB. Split it."),
    "too_many_rows": N_("The file has more than {limit} rows. Split it."),
    "no_header": N_(
        "No header line was found among the first 25 lines. At least three columns must be named, e.g. name, company, "
        "e-mail."
    ),
    "too_many_columns": N_(
        "The file has more than {limit} columns. Delete those that are not needed, or check the delimiter."
    ),
    "foreign_file": N_("This is a {kind} file, not a list. Export the contacts as CSV, XLSX or vCard."),
    "unknown_encoding": N_("There is no encoding called {encoding}."),
    "unknown_delimiter": N_("“{delimiter}” cannot be a delimiter. Choose one character, e.g. a comma."),
    "open_quote": N_(
        "A quotation mark opened on line {line} is never closed, so the rows after it cannot be told apart. "
        "Close or delete it."
    ),
    "encrypted_workbook": N_("The workbook is protected by a password. Save it without one."),
    "encrypted_old_workbook": N_(
        "This old Excel file (.xls) is protected by a password. Save it without one, best as .xlsx."
    ),
    "workbook_unreadable": N_("The workbook cannot be read. Open it in Excel and save it again as .xlsx."),
    "workbook_too_heavy": N_("The workbook unpacks to more than can be read safely. Save only its values as .xlsx."),
    "workbook_slow": N_("Reading the workbook took too long. Try again when the computer is less busy."),
    "no_workbook": N_("This is a zip archive, not a workbook. Unpack it and import the files in it one by one."),
    "html_not_read": N_("This is a web page without a table. Open it in Excel and save it as .xlsx."),
    "unknown_field": N_("There is no field called {field}."),
}
SENTENCES = {**ROW_WARNINGS, **ROW_REFUSALS, **SKIPPED_LINES, **FILE_NOTES, **FILE_ERRORS}


def sentence(code: str, **params: object) -> str:
    """Return the sentence of a code in the viewer's language."""
    return _(SENTENCES[code], **params) if params else _(SENTENCES[code])


def say(code: str, row: int | None, params: Mapping[str, Any]) -> str:
    """Return the sentence of a row's issue; values a sentence wants and the issue lacks are shown as ``?``."""
    return _(SENTENCES[code]).format_map(_Lenient(params, n=row))


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"
