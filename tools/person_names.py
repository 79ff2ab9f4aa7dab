"""Writes crm/drafts/cldr: person-name patterns out of the unpacked npm package ``cldr-person-names-full``.

``python tools/person_names.py PACKAGE_FOLDER``; needs Node.js, whose ICU tells which Chinese characters form a word.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

TARGET = Path(__file__).parents[1] / "crm" / "drafts" / "cldr"
PARENTS = {
    "und": None,
    "ko": "und",
    "ja": "und",
    "zh": "und",
    "zh_Hant": "und",
    "zh_Hant_HK": "zh_Hant",
    "es": "und",
    "es_419": "es",
    "es_MX": "es_419",
    "es_US": "es_419",
    "en": "und",
    "en_GB": "en",
}
GIVEN_NAMES = (
    "爱安柏斌兵博才彩成晨诚春聪翠达丹德栋东冬恩方飞芳峰凤福刚国光贵桂海涵豪浩和恒红洪宏虹华辉慧惠佳家嘉"
    "坚建健江杰洁婕金锦晶静娟军君俊凯可兰乐磊蕾丽力立莉亮林琳玲龙露璐梅美梦敏明娜楠宁培鹏平萍强琴青清庆秋仁蓉"
    "荣瑞睿珊善生升胜诗世淑霜思松素涛天婷庭伟薇巍威文雯武希曦霞先贤祥翔晓小欣新馨鑫兴秀旭雪雅燕艳阳洋瑶叶怡"
    "依宜艺义亦益逸毅英颖莹瑛勇永友宇雨玉育元圆媛远月悦云芸泽哲珍真振正志智忠子紫宗"
)
FOREIGN_NAMES = (
    "阿埃艾安奥巴拜班贝本比彼博布查达大戴丹德蒂丁东多厄恩尔法菲弗福盖戈格古哈海汉赫亨胡怀霍基吉加贾杰金卡凯坎康科克"
    "肯库拉莱兰朗劳勒雷里利莉林琳龙卢鲁路罗洛马迈曼茅梅门蒙米莫穆纳娜内尼妮努诺欧帕佩皮普奇乔切琴丘让热日茹萨塞沙"
    "莎圣施什斯丝苏索塔泰坦汤特提廷图托瓦维万威韦温文沃乌武西希夏香肖谢辛雪亚扬耶伊因英尤于约泽扎詹兹"
)
TRADITIONAL_NAMES = (
    "愛安柏斌博彩成晨誠春聰達丹德東冬恩方飛芳峰鳳福剛國光貴桂海涵豪浩和恆紅洪宏虹華輝慧惠佳家嘉堅建健江傑潔金錦晶"
    "靜娟軍君俊凱可蘭樂麗力立莉亮林琳玲龍露梅美夢敏明娜寧培鵬平萍強琴青清慶秋仁蓉榮瑞睿珊善生昇勝詩世淑思松素濤天"
    "婷庭偉薇威文雯武希曦霞賢祥翔曉小欣新馨鑫興秀旭雪雅燕陽洋瑤葉怡依宜藝義益逸毅英穎瑩勇永友宇雨玉育元媛遠月悅雲"
    "芸澤哲珍真振正志智忠子紫宗"
)
SEGMENT = """
const fs = require("fs"), breaker = new Intl.Segmenter("zh", {granularity: "word"});
const pairs = fs.readFileSync(0, "utf8").split("\\n");
console.log(pairs.filter(pair => [...breaker.segment(pair)].length === 1).join("\\n"));
"""


def locale_data(folder: Path, locale: str) -> dict[str, object]:
    """Return the entries of one locale, patterns keyed ``order length usage formality``."""
    path = folder / "main" / locale.replace("_", "-") / "personNames.json"
    (main,) = json.loads(path.read_text(encoding="utf-8"))["main"].values()
    found = main["personNames"]
    keys = ("formality", "length", "nativeSpaceReplacement", "foreignSpaceReplacement", "initial", "initialSequence")
    data: dict[str, object] = {order: " ".join(found[order]) for order in ("givenFirst", "surnameFirst")}
    data.update((key, found[key]) for key in keys)
    for path_, pattern in patterns(found["personName"]):
        *_, formality = path_
        key = " ".join((*path_[:-1], formality.partition("-alt-")[0]))
        before = data.get(key)
        data[key] = [*before, pattern] if isinstance(before, list) else [before, pattern] if before else pattern
    return data


def patterns(tree: Mapping[str, object], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every pattern of a tree with the keys that lead to it, the first of alternatives first."""
    for key, value in sorted(tree.items()):
        if isinstance(value, dict):
            yield from patterns(value, (*path, key))
        else:
            yield (*path, key), str(value)


def differences(folder: Path) -> dict[str, dict[str, object]]:
    """Return what each locale says otherwise than its parent."""
    whole = {locale: locale_data(folder, locale) for locale in PARENTS}
    found: dict[str, dict[str, object]] = {}
    for locale, parent in PARENTS.items():
        inherited = whole[parent] if parent else {}
        own = {key: value for key, value in whole[locale].items() if inherited.get(key) != value}
        found[locale] = {"parent": parent, **own} if parent else own
    return found


def han_words() -> list[str]:
    """Return pairs of characters used in names that ICU takes for one word."""
    pairs = {
        first + second
        for chars in (GIVEN_NAMES, FOREIGN_NAMES, TRADITIONAL_NAMES)
        for first in chars
        for second in chars
    }
    node = shutil.which("node")
    if node is None:
        raise SystemExit("Node.js is needed: its ICU knows Chinese words.")
    done = subprocess.run(  # noqa: S603
        [node, "-e", SEGMENT], input="\n".join(sorted(pairs)), capture_output=True, text=True, check=True
    )
    return done.stdout.split()


if __name__ == "__main__":
    package = Path(sys.argv[1])
    version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    data = {"source": f"cldr-person-names-full {version}", "locales": differences(package)}
    (TARGET / "person_names.json").write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    words = han_words()
    lines = [" ".join(words[at : at + 30]) for at in range(0, len(words), 30)]
    (TARGET / "han_words.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
