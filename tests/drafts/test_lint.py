"""``crm letters check``: what is wrong in a letter file is found, with file, line and block, and nothing else is."""

import json
import shutil

import pytest

from crm.cli.app import run
from crm.core.config import ROOT
from crm.core.errors import NotFound, Refused
from crm.core.i18n import speaking
from crm.drafts import lint, spam

MAIL = ROOT / "templates" / "mail"
WORDS = {
    "ko": ("{{ product }} 자료를 보내 드립니다.", "감사합니다."),
    "en": ("Here is the data sheet of {{ product }}.", "Kind regards,"),
    "zh-Hans": ("现将{{ product }}的资料发送给您。", "顺颂商祺！"),
    "zh-Hant": ("謹將{{ product }}的資料寄上。", "敬祝 商祺"),
    "ja": ("{{ product }}の資料をお送りいたします。", "何卒よろしくお願い申し上げます。"),
    "es": ("Le envío la ficha técnica de {{ product }}.", "Un cordial saludo,"),
}


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    with speaking("en"):
        yield


@pytest.fixture
def folder(tmp_path):
    """A folder with one letter that is right."""
    letter = tmp_path / "hello"
    letter.mkdir()
    (letter / "letter.yaml").write_text(
        "title: {ko: 인사, en: Hello}\ncommercial: true\nblocks: [greeting, body, closing, signature]\n"
        "placeholders: [greeting, exhibition_short, product, sender_name, sender_phone, website]\n",
        "utf-8",
    )
    for language, (sentence, closing) in WORDS.items():
        (letter / f"{language}.md").write_text(
            f"[[subject]]\n{{{{ exhibition_short }}}}\n\n[[greeting]]\n{{{{ greeting }}}}\n\n"
            f"[[body]]\n{{% if product %}}\n{sentence}\n{{% endif %}}\n\n[[closing]]\n{closing}\n\n"
            "[[signature]]\n{{ sender_name }}\n{% if sender_phone %}\n{{ sender_phone }}\n{% endif %}\n"
            "{% if website %}\n{{ website }}\n{% endif %}\n",
            "utf-8",
        )
    (letter / "ko-KR.md").write_text("[[closing]]\n늘 건강하시기 바랍니다.\n감사합니다.\n", "utf-8")
    return tmp_path


def change(folder, language, old, new):
    path = folder / "hello" / f"{language}.md"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def body(folder, language, text):
    """Put a line below the sentence of the body, which is line 9."""
    change(folder, language, f"{WORDS[language][0]}\n", f"{WORDS[language][0]}\n{text}\n")


def found(folder, **asked):
    return [
        (problem.place.file.rpartition("/")[2], problem.place.line, problem.place.field, problem.code)
        for problem in lint.check(folder, **asked).problems
    ]


def test_a_letter_that_is_right_has_no_finding(folder):
    report = lint.check(folder)
    assert [str(problem) for problem in report.problems] == []
    assert (report.letters, report.files) == (("hello",), 7)


@pytest.mark.parametrize(
    ("language", "text", "code"),
    [
        ("es", "자료를 보냅니다.", "untranslated"),
        ("en", "資料", "untranslated"),
        ("zh-Hans", "の資料", "untranslated"),
        ("ja", "자료", "untranslated"),
        ("ko", "カタログ", "untranslated"),
        ("zh-Hant", "产品", "wrong_han"),
        ("zh-Hans", "產品", "wrong_han"),
        ("ja", "产品", "wrong_han"),
        ("es", "We would like to thank you for the visit.", "untranslated"),
        ("ko", "Thank you for the visit to our booth.", "untranslated"),
        ("en", "Le enviamos la lista de precios para su empresa.", "untranslated"),
        ("en", "Here is  more.", "double_space"),
        ("en", "Here is more , then.", "space_before_sign"),
        ("zh-Hans", "您好,请查阅。", "half_width"),
        ("ja", "ご確認ください.", "half_width"),
        ("en", "# More", "markup"),
        ("en", "<b>More</b> of it.", "markup"),
        ("en", "| a | b |", "markup"),
        ("en", "See https://hanbit.example for more.", "fixed_address"),
        ("en", "Write to sales@hanbit.example today.", "fixed_address"),
    ],
)
def test_a_line_that_reads_badly_is_named_with_its_block(folder, language, text, code):
    body(folder, language, text)
    assert (f"{language}.md", 10, "body", code) in found(folder)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Certificados: CE e ISO 9001 (Incoterms® 2020)"),
        ("ko", "HIFEX 2026 · FOB Busan, Korea"),
        ("zh-Hans", "HS 8481.80, FOB Busan, Korea"),
        ("ja", "ISO 9001、CE"),
        ("en", "**More** of it."),
        ("zh-Hant", "台北、香港"),
    ],
)
def test_terms_of_trade_and_what_markdown_reads_are_no_findings(folder, language, text):
    body(folder, language, text)
    assert found(folder) == []


def test_words_that_must_not_be_said_are_named_with_reason_and_better_wording(folder):
    body(folder, "en", "I hope this email finds you well.")
    (problem,) = lint.check(folder).problems
    assert (problem.place.line, problem.place.field) == (10, "body")
    assert problem.message.startswith("“finds you well”: An empty opener")
    assert problem.hint.startswith("Better: ")


def test_words_over_two_lines_are_found_in_the_written_letter(folder):
    change(folder, "zh-Hant", "敬祝 商祺", "此致\n敬禮")
    assert [(file, code[:6]) for file, _line, _block, code in found(folder)] == [("zh-Hant.md", "phrase")]


def test_a_fact_told_in_one_language_only_is_named(folder):
    change(folder, "es", "{% if sender_phone %}\n{{ sender_phone }}\n{% endif %}\n", "")
    assert found(folder) == [("es.md", None, None, "other_facts")]
    change(folder, "ko", "{% if sender_phone %}\n{{ sender_phone }}\n{% endif %}\n", "")
    assert [file for file, *_rest in found(folder)] == ["en.md", "ja.md", "zh-Hans.md", "zh-Hant.md"]


def test_a_paragraph_left_in_another_language_is_named(folder):
    text = "Industrial valves, actuators, fittings"
    body(folder, "en", f"\n{text}")
    body(folder, "es", f"\n{text}")
    assert found(folder) == [("es.md", 11, "body", "untranslated")]


def test_a_price_in_the_subject_is_named(folder):
    yaml = folder / "hello" / "letter.yaml"
    yaml.write_text(yaml.read_text("utf-8").replace("website]", "website, price]"), "utf-8")
    for language in WORDS:
        subject = "{% if price %}\n{{ price }}\n{% endif %}\n{{ exhibition_short }}\n"
        change(folder, language, "{{ exhibition_short }}\n", subject)
    assert ("en.md", 3, "subject", "price_in_subject") in found(folder)


def test_a_subject_that_is_too_long_is_named(folder):
    change(folder, "ja", "{{ exhibition_short }}\n", "{{ exhibition_short }} " + "展示会のご案内" * 5 + "\n")
    assert found(folder) == [("ja.md", 1, "subject", "subject_long")]


SENTENCE = WORDS["en"][0]
PHONE = "{% if sender_phone %}"
REST = "{% endif %}\n{% if product %}"  # the condition around the sentence is closed and opened again


@pytest.mark.parametrize(
    ("old", "new", "code", "block"),
    [
        (PHONE, f"Tel.\n{PHONE}", "open_end", "signature"),
        (SENTENCE, f"Here.\n{{% endif %}}\n({{% if product %}}{{{{ product }}}}{REST}", "open_end", "body"),
        (
            SENTENCE,
            "Here.\n{% endif %}\nIt is ().\n{% if product %}",
            "empty_brackets",
            "body",
        ),
        (
            SENTENCE,
            "Here.\n{% endif %}\nYou asked for these:\n{% if product %}\n- {{ product }}",
            "open_end",
            "body",
        ),
    ],
)
def test_what_a_condition_leaves_behind_is_named_with_the_sample_that_shows_it(folder, old, new, code, block):
    change(folder, "en", old, new)
    problems = [problem for problem in lint.check(folder).problems if problem.code == code]
    assert [problem.place.field for problem in problems][:1] == [block]
    assert problems[0].message.endswith(")")


def test_a_variant_that_says_nothing_else_is_named(folder):
    text = (folder / "hello" / "es.md").read_text("utf-8")
    (folder / "hello" / "es-ES.md").write_text(text[text.index("[[closing]]") : text.index("[[signature]]")], "utf-8")
    assert found(folder) == [("es-ES.md", 1, "closing", "idle_variant")]


def test_words_of_export_are_named_in_a_letter_between_koreans(folder):
    (folder / "hello" / "ko-KR.md").write_text("[[body]]\n통관과 관세를 확인해 드리겠습니다.\n", "utf-8")
    assert [(file, line) for file, line, *_rest in found(folder)] == [("ko-KR.md", 2)]


def test_a_language_without_a_variant_is_held_against_the_words_of_that_country_too(folder):
    body(folder, "es", "Con gusto le envío una cotización.")
    (problem,) = lint.check(folder).problems
    assert problem.message.startswith("“cotizaci”: Words of Spanish America")
    (folder / "hello" / "es-ES.md").write_text("[[body]]\nCon gusto le envío una oferta.\n", "utf-8")
    assert lint.check(folder).problems == ()


def test_a_letter_that_cannot_be_read_is_named_and_its_words_are_looked_at_all_the_same(folder):
    change(folder, "en", "{{ sender_name }}", "{{ sender_nmae }}")
    body(folder, "es", "자료")
    codes = {(file, code) for file, _line, _block, code in found(folder)}
    assert codes == {("en.md", ""), ("es.md", "untranslated"), ("en.md", "other_facts")}


def test_one_language_is_looked_at_alone_with_its_variants(folder):
    body(folder, "es", "자료")
    body(folder, "en", "資料")
    assert [file for file, *_rest in found(folder, language="es")] == ["es.md"]
    assert lint.check(folder, language="es").files == 1
    with pytest.raises(NotFound, match="No letter is written in fr"):
        lint.check(folder, language="fr")


def test_one_letter_is_looked_at_alone(folder):
    shutil.copytree(folder / "hello", folder / "other")
    body(folder, "es", "자료")
    assert found(folder, letter="other") == []
    with pytest.raises(NotFound, match="Known: hello, other"):
        lint.check(folder, letter="helo")


@pytest.mark.parametrize("letter", sorted(path.name for path in MAIL.iterdir() if path.is_dir()))
def test_the_letters_of_the_house_have_no_finding(letter):
    assert [str(problem) for problem in lint.check(MAIL, letter=letter).problems] == []


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_says_where_what_and_what_to_do_and_ends_with_one(folder, capsys):
    body(folder, "es", "자료")
    assert run(["letters", "check", "--folder", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(
        f"{folder}/hello/es.md:10 (body): “자료” is not written in the language of the letter. Translate"
    )
    assert "findings: 1" in err


def test_the_command_ends_with_nought_where_nothing_is_wrong(folder, capsys):
    assert run(["letters", "check", "--folder", str(folder)]) == 0
    assert capsys.readouterr().out == ""


def test_the_command_speaks_json(folder, capsys):
    body(folder, "es", "자료")
    assert run(["letters", "check", "--folder", str(folder), "--json"]) == 1
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert row.keys() == {"file", "line", "block", "code", "message", "todo"}
    assert (row["line"], row["block"], row["code"]) == (10, "body", "untranslated")


def test_a_folder_that_is_not_there_is_wrong_input(tmp_path, capsys):
    assert run(["letters", "check", "--folder", str(tmp_path / "no")]) == 2
    assert "There is no such folder." in capsys.readouterr().err


# --- SpamAssassin ----------------------------------------------------------------------------------------------------

HEADERS = "X-Spam-Status: {verdict}, score={points} required=5.0 tests={rules}\n\tautolearn=no version=4.0.1\n"


@pytest.fixture
def assassin(tmp_path_factory, monkeypatch):
    """A program of that name that adds to each mail the status it is told."""

    def install(points, rules="HTML_MESSAGE,\n\tSUBJ_ALL_CAPS", *, answer=True):
        path = tmp_path_factory.mktemp("bin") / "spamassassin"
        status = HEADERS.format(verdict="No", points=points, rules=rules)
        path.write_text(
            "#!/usr/bin/env python3\nimport re, sys\n"
            "assert '--local' in sys.argv, 'nothing may leave the house'\n"
            "box = open(sys.argv[-1]).read()\n"
            + (
                f"sys.stdout.write(re.sub(r'(?m)^(From ieum.*)$', lambda m: m[1] + '\\n' + {status!r}.strip(), box))\n"
                if answer
                else "sys.exit('broken')\n"
            ),
            "utf-8",
        )
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")

    return install


def test_spamassassin_scores_each_letter_in_each_language(folder, assassin):
    assassin("0.5")
    report = lint.check(folder, with_spam=True)
    assert [(name, tag, points, rules) for name, tag, points, rules in report.scores][:1] == [
        ("hello", "ko", 0.5, ("HTML_MESSAGE", "SUBJ_ALL_CAPS"))
    ]
    assert len(report.scores) == 7
    assert report.problems == ()


def test_a_letter_with_a_point_or_more_is_named_with_the_rules(folder, assassin):
    assassin("1.2")
    problem = lint.check(folder, with_spam=True).problems[0]
    assert problem.message == "SpamAssassin gives 1.2 points: HTML_MESSAGE, SUBJ_ALL_CAPS."


def test_a_spamassassin_that_does_not_answer_is_no_good_score(folder, assassin):
    assassin("0", answer=False)
    with pytest.raises(Refused, match="did not answer: broken"):
        lint.check(folder, with_spam=True)


def test_where_spamassassin_is_not_installed_the_command_says_so(folder, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nowhere")
    assert spam.program() is None
    assert run(["letters", "check", "--folder", str(folder), "--spam"]) == 0
    assert "not installed" in capsys.readouterr().err
