"""What the page behind a link to a document says, in the six languages of letters, when there is nothing to give."""

TEXTS: dict[str, dict[str, str]] = {
    "ko": {
        "title": "자료 링크",
        "expired": "이 링크의 이용 기간이 끝났습니다. 받으신 메일에 회신해 주시면 자료를 다시 보내 드리겠습니다.",
        "withdrawn": "이 자료는 더 이상 제공하지 않습니다. 받으신 메일에 회신해 주시면 최신 자료를 보내 드리겠습니다.",
        "invalid": "올바른 링크가 아닙니다. 메일에 있는 주소를 끝까지 복사했는지 확인해 주십시오.",
        "contact": "문의",
    },
    "en": {
        "title": "Link to a document",
        "expired": "This link has expired. Please reply to our letter, and we will send you the document again.",
        "withdrawn": "This document has been replaced. Please reply to our letter for the current one.",
        "invalid": "This link is not valid. Please check that you copied the whole address from the letter.",
        "contact": "Contact",
    },
    "zh-Hans": {
        "title": "资料链接",
        "expired": "此链接已过期。请回复我们的邮件，我们将重新发送资料。",
        "withdrawn": "此资料已停止提供。请回复我们的邮件，我们将发送最新版本。",
        "invalid": "链接无效。请确认已完整复制邮件中的地址。",
        "contact": "联系我们",
    },
    "zh-Hant": {
        "title": "資料連結",
        "expired": "此連結已過期。請回覆我們的郵件，我們將重新寄送資料。",
        "withdrawn": "此資料已停止提供。請回覆我們的郵件，我們將寄送最新版本。",
        "invalid": "連結無效。請確認已完整複製郵件中的網址。",
        "contact": "聯絡我們",
    },
    "ja": {
        "title": "資料のリンク",
        "expired": "このリンクの有効期限が切れました。弊社のメールにご返信いただければ、資料を改めてお送りいたします。",
        "withdrawn": "この資料は公開を終了しました。弊社のメールにご返信いただければ、最新の資料をお送りいたします。",
        "invalid": "リンクが正しくありません。メールのアドレスが最後まで入力されているかご確認ください。",
        "contact": "お問い合わせ",
    },
    "es": {
        "title": "Enlace a un documento",
        "expired": "Este enlace ha caducado. Responda a nuestro correo y le enviaremos de nuevo el documento.",
        "withdrawn": "Este documento ya no se ofrece. Responda a nuestro correo y le enviaremos la versión actual.",
        "invalid": "El enlace no es válido. Compruebe que ha copiado la dirección completa del correo.",
        "contact": "Contacto",
    },
}


def language_of(accepted: str) -> str:
    """Return which of the six languages a browser asks for (Accept-Language), else English."""
    for part in accepted.split(","):
        tag = part.partition(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh-Hant" if any(one in tag for one in ("hant", "tw", "hk", "mo")) else "zh-Hans"
        if tag[:2] in TEXTS:
            return tag[:2]
    return "en"
