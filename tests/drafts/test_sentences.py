import pytest

from crm.drafts.sentences import sentences_of
from crm.drafts.templates import CLOSE, OPEN


def said(text, name="thanks"):
    return sentences_of([{"id": name, "text": text, "marked": text}])


def test_the_same_sentence_with_another_name_is_the_same_sentence():
    one, other = (f"Thank you for visiting us at booth {OPEN}{booth}{CLOSE} in May." for booth in ("7B-1", "9C-2"))
    assert said(one) == said(other) != set()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Dear Ms Fairbank, how do you do this fine morning,", "greeting"),
        ("I look forward to hearing from you very soon again.", "closing"),
        (
            "- Minimum order quantity of five hundred pieces per year\n- Lead time of thirty days after the order",
            "terms",
        ),
        ("Kind regards from all of us.\n", "signature"),
        ("You asked us at the booth for the following:", "recall"),
        ("Thank you very much.", "thanks"),
        ("감사합니다.", "thanks"),
        (f"안녕하십니까. {OPEN}한빛밸브(주){CLOSE} {OPEN}이서연{CLOSE}입니다.", "thanks"),
    ],
)
def test_facts_lists_formulas_and_signatures_are_left_out(text, name):
    assert said(text, name) == frozenset()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("We would like to visit your factory. Which week of May would suit you best?", 2),
        ("귀사의 공장을 저희 기술자 두 명과 함께 방문하고 싶습니다. 오월 중 어느 주가 가장 편하신지 알려 주십시오.", 2),
        ("贵公司的工厂我们非常希望能与两位工程师一同参观。请问五月份哪一周对贵公司最为方便？", 2),
    ],
)
def test_a_paragraph_is_cut_into_sentences(text, count):
    assert len(said(text)) == count
