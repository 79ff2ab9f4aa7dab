"""Made-up buyers that a letter is tried on while it is written: among them those whom letters stumble over. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from crm.core.i18n import N_
from crm.drafts.names import NameParts, salute
from crm.drafts.placeholders import HOME_SAMPLE, SAMPLES, Facts, least


@dataclass(frozen=True)
class Sample:
    """One of them: ``name`` and ``about`` are message ids; ``facts`` makes of a language's usual facts this buyer's."""

    code: str
    name: str
    about: str
    people: Mapping[str, NameParts]
    facts: Callable[[Facts, tuple[str, ...]], Facts] = lambda facts, _needs: facts

    def facts_in(self, language: str, country: str | None = None, needs: tuple[str, ...] = ()) -> Facts:
        """Return what a letter in ``language`` to this buyer is written from."""
        usual = HOME_SAMPLE if language == "ko" and country == "KR" else SAMPLES[language]
        who = self.people.get(language) or self.people.get("*")
        if who is not None:
            said = salute(who, language)
            usual = replace(usual, greeting=said.greeting, mention=said.mention)
        return self.facts(usual, needs)


def _everyone(who: NameParts) -> Mapping[str, NameParts]:
    return {"*": who}


_LONGEST = {
    "ko": NameParts(
        full_name="남궁은하수", title="글로벌전략구매본부장 겸 부사장", country="KR",
        company="(주)대한국제산업기계부품유통홀딩스",
    ),
    "zh-Hans": NameParts(
        full_name="阿卜杜热西提·买买提艾力", title="国际采购与供应链管理部总经理", country="CN",
        company="新疆维吾尔自治区国际机电设备进出口贸易股份有限公司",
    ),
    "zh-Hant": NameParts(
        full_name="歐陽張陳美玲", title="國際採購暨供應鏈管理處總經理", country="TW",
        company="臺灣國際精密機械零組件進出口貿易股份有限公司",
    ),
    "ja": NameParts(
        full_name="勅使河原 三千代", title="代表取締役副社長執行役員", department="グローバル調達統括本部",
        company="株式会社東日本国際産業機械部品トレーディング", country="JP",
    ),
    "*": NameParts(
        full_name="Maximiliana Wolfeschlegelsteinhausenbergerdorff-Castellanos y Etxeberria",
        title="Senior Vice President, Global Procurement and Supply Chain", gender="f",
        company="Compañía Internacional de Maquinaria Industrial y Componentes del Mediterráneo, S.A. de C.V.",
        country="MX",
    ),
}  # fmt: skip


def _bare(facts: Facts, needs: tuple[str, ...]) -> Facts:
    return least(facts, needs)


SAMPLES_OF_BUYERS: tuple[Sample, ...] = (
    Sample("usual", N_("Usual buyer"), N_("everything is known"), {}),
    Sample("longest", N_("Longest name"), N_("name, title and company are as long as they come"), _LONGEST),
    Sample("least", N_("Missing values"), N_("nothing is known but whom it is to and who writes"), {}, _bare),
    Sample(
        "untitled",
        N_("No title"),
        N_("a name and a company, no title, gender not known"),
        {
            "ko": NameParts(full_name="이수", company="다올무역", country="KR"),
            "zh-Hans": NameParts(full_name="李雨", company="上海雨林贸易有限公司", country="CN"),
            "zh-Hant": NameParts(full_name="陳雨", company="雨林貿易有限公司", country="TW"),
            "ja": NameParts(full_name="林 雨", company="株式会社雨林", country="JP"),
            "*": NameParts(full_name="Robin Ek", company="Ek Trading AB", country="SE"),
        },
    ),
    Sample(
        "rtl",
        N_("Company written from right to left"),
        N_("only the company is known, in Arabic letters"),
        _everyone(NameParts(company="شركة النور للتجارة والمقاولات", country="AE")),
    ),
    Sample(
        "script",
        N_("Name in another script"),
        N_("a name that the letter's readers cannot read"),
        {
            "ja": NameParts(full_name="กิตติศักดิ์ วงศ์ใหญ่", title="ผู้จัดการ", company="บริษัท สยามวาล์ว จำกัด", country="TH"),
            "*": NameParts(
                full_name="Кириллов Аркадий", title="Директор", company="ООО «Северная арматура»", country="KZ"
            ),
        },
    ),
)
"""The first is the one shown when nobody chose."""


def sample(code: str) -> Sample:
    """Return a sample by its code, the usual one for one that is not known."""
    return next((one for one in SAMPLES_OF_BUYERS if one.code == code), SAMPLES_OF_BUYERS[0])
