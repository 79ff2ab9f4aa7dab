"""What a person, or a person's machine, says in an answer: the new words, an absence, a wish to hear no more.

Pure functions on text. The wording covers Korean, English, Japanese, both Chinese scripts and Spanish, and where that
is cheap the languages around them. Each tuple is one alternative of a pattern, a language or two a line.
"""

import re


def _any(*alternatives: str) -> str:
    return "|".join(alternatives)


# Lines at which quoted mail begins, by the programs that write them.
_ORIGINAL = _any(
    r"original message|forwarded message|mensaje original|mensaje reenviado|mensagem original|messaggio originale",
    r"원본 ?메시지|원본 ?메일|원문|전달된 메시지|元のメッセージ|原始邮件|原始郵件|转发邮件|轉寄郵件",
    r"urspr[uü]ngliche nachricht|message d'origine|oprindelig meddelelse|ursprungligt meddelande",
    r"oorspronkelijk bericht|wiadomo[sś][cć] oryginalna",
)
_FROM = r"보낸 ?사람|발신(?:자|인)?|差出人|送信者|发件人|寄件者|寄件人|from|de|von|fra|från|van|da"
_SENT = _any(
    r"보낸 ?날짜|날짜|보낸 ?시간|送信日時|日時|日付|发送时间|发送日期|寄件日期|日期",
    r"sent|date|to|subject|enviado(?: el)?|fecha|gesendet|datum|envoy[ée](?: le)?|sendt|dato|skickat|skickades",
    r"verzonden|inviato|data|wys[łl]ano",
)
_WROTE = _any(
    r"wrote|escribi[oó]|a écrit|schrieb|skrev|schreef|ha scritto|escreveu|napisa[łl]\(?a?\)?",
    r"님이 작성|님이 다음과 같이 작성|写道|寫道",
)
_CUTS = tuple(
    re.compile(pattern, re.MULTILINE | re.IGNORECASE)
    for pattern in (
        rf"^[ \t>]*-{{2,}}[ \t]*(?:{_ORIGINAL})[ \t]*-{{2,}}.*$",
        r"^[ \t]*_{10,}[ \t]*$",
        rf"^[ \t>*]*(?:{_FROM})[ \t]*[:：].*\n(?:.*\n){{0,4}}?[ \t>*]*(?:{_SENT})[ \t]*[:：]",
        r"^[ \t>]*(?:on|el|le|am|den|op|il|em|w dniu)\b[^\n]{4,200}(?:\n[^\n]{0,200})?"
        rf"\b(?:{_WROTE})\b[^\n:]{{0,120}}:[ \t]*$",
        rf"^[^\n]{{0,200}}(?:{_WROTE})[ \t]*[:：][ \t]*$",
        r"^[ \t>]*\d{4}[ \t]*[년.\-/年][^\n]{3,160}작성[ \t]*[:：][ \t]*$",
        r"^[ \t>]*\d{4}(?:年|[/.-])\d{1,2}(?:月|[/.-])\d{1,2}[^\n]{0,120}<[^>\n]+@[^>\n]+>[^\n]{0,20}[:：][ \t]*$",
    )
)
_SIGNATURE = re.compile(r"^--[ \t]*$", re.MULTILINE)  # RFC 3676 section 4.3; programs drop the space
_MOBILE = re.compile(
    r"^(?:\S+에서 보냄|나의 \S+에서 보냄|(?:iPhone|iPad|Android)から送信|发自我的.{0,20}|從我的.{0,20}傳送"
    r"|Sent (?:from|via) (?:my|the|an?)? ?\S.{0,40}|Get Outlook for .{0,20}|Enviado desde mi .{0,30})[ \t]*$",
    re.MULTILINE,
)
# A closing followed by a name only, at the very end.
_CLOSING = re.compile(
    r"\n[ \t]*(?:(?:(?:best|kind|warm) )?regards|sincerely(?: yours)?|thanks|cheers|saludos(?: cordiales)?|atentamente"
    r"|med venlig hilsen|mvh|kh|pozdrawiam|z powa[zż]aniem|mit freundlichen gr[uü](?:ß|ss)en|cordialement)[,.]?[ \t]*"
    r"(?:\n+[^\n.?!]{1,40}){1,2}\s*\Z|\n[ \t]*[/–—-][ \t]?\w+(?: \w+)?\s*\Z",
    re.IGNORECASE,
)


def newest(text: str) -> str:
    """Return what the writer added on top: quotations, attributions and signatures cut off.

    A mail that is nothing but quotation (answers written between the lines) is returned whole, for a person to read.
    """
    text = text.replace("\r\n", "\n")
    cut = min((found.start() for pattern in _CUTS if (found := pattern.search(text))), default=len(text))
    lines = [line for line in text[:cut].split("\n") if not line.lstrip().startswith(">")]
    kept = _MOBILE.sub("", "\n".join(lines))
    kept = _SIGNATURE.split(kept, maxsplit=1)[0].rstrip()
    return _CLOSING.sub("", kept).strip() or text.strip()


_AWAY = re.compile(
    _any(
        r"out[ -]of[ -](?:the )?office|on (?:\w+ )?(?:leave|vacation|holiday)|away from (?:my|the) (?:desk|office)",
        r"부재 ?중|휴가|출장 ?중|자리를 비|不在に|不在の|休暇|出張中|休業",
        r"不在办公室|不在辦公室|外出|休假|出差|度假|放假",
        r"fuera de la oficina|de vacaciones|ausente|abwesen|absent du bureau|en cong[eé]",
    ),
    re.IGNORECASE,
)
_AUTO_SUBJECT = re.compile(
    r"^\W*(?:"
    + _any(
        r"auto(?:matic|mated)?[- ]?(?:reply|response)|autoreply|out[ -]of[ -](?:the )?office|ooo\b",
        r"자동 ?(?:응답|회신|답장)|부재 ?중|自動(?:応答|返信|回覆)|不在(?:通知|の|返信)|自动(?:回复|答复)|休假",
        r"respuesta autom[aá]tica|contestaci[oó]n autom[aá]tica|fuera de la oficina|ausente",
        r"automatische antwort|abwesenheit|r[eé]ponse automatique|absence du bureau",
    )
    + ")",
    re.IGNORECASE,
)


def says_absent(text: str) -> bool:
    """True if the words tell of an absence: out of office, leave, a trip."""
    return bool(_AWAY.search(text))


def opens_with_absence(newest_text: str) -> bool:
    """True if a short text begins with an absence, as automatic answers do that carry no mark of it."""
    return len(newest_text) <= 600 and says_absent(newest_text[:160])


def is_auto_subject(subject: str) -> bool:
    """True if a subject begins as automatic answers begin. ``Re: …`` never does: a person pressed reply."""
    return bool(_AUTO_SUBJECT.search(subject))


_OPT_OUT = re.compile(
    _any(
        r"\b(?:un-?subscribe|opt(?:ing)?[- ]?out|take (?:me|us|my e?-?mail|our e?-?mail) off)\b",
        r"\b(?:remove|delete) (?:me|us|(?:my|our) (?:name|data|e?-?mail|address|details))\b",
        r"\b(?:stop|quit|cease) (?:e-?mailing|sending|contacting|writing|spamming)\b",
        r"\b(?:do not|don['’]?t|never) (?:e-?mail|contact|write to|spam|send (?:me|us))\b",
        r"\bno (?:more|further) (?:e-?mails?|mails?|messages?)\b",
        r"\b(?:not|no longer) (?:wish|want) to (?:receive|get|hear)\b",
        r"수신 ?거부|구독 ?(?:취소|해지)|메일(?:을|은)? ?그만|보내지 ?(?:마|말|않)|연락하지 ?(?:마|말)",
        r"(?:메일|연락)(?:을|은)? ?(?:더 ?이상 )?원(?:하|치) ?(?:지|않)|(?:명단|목록|리스트)에서 ?(?:빼|삭제|제외)",
        r"配信(?:の|を)?(?:停止|解除|不要)|(?:メール|連絡)(?:は|を)?(?:不要|ご遠慮|お控え)|送(?:ら|付し|信し)ないで",
        r"登録(?:を)?(?:解除|削除)|今後.{0,20}(?:不要|結構です|ご遠慮)",
        r"退订|退訂|取消(?:订阅|訂閱)|停止(?:发送|發送|寄送)",
        r"(?:不要|别|別|勿)再?(?:给我们?|給我們?)?(?:发|發|寄|联系|聯絡|聯繫|打扰|打擾)",
        r"d(?:ar|en|é|e)(?:me|nos)? de baja|cancelar (?:la |mi )?suscripci[oó]n|dej(?:e|en|ar) de (?:enviar|escribir)",
        r"no (?:me |nos )?(?:env[ií]en?|manden?|contacten?|escriban?)\b|no dese(?:o|amos) (?:recibir|seguir)",
        r"no (?:quiero|queremos) recibir",
    ),
    re.IGNORECASE,
)
SHORT = 400  # characters: in a longer letter such words rarely are the whole wish, and a person reads it anyway


def wants_no_more(newest_text: str) -> bool:
    """True if a short answer asks not to be written to again. Give the newest words only, not what they quote."""
    return len(newest_text) <= SHORT and bool(_OPT_OUT.search(newest_text))
