"""Words of letters that a fact chooses, by language: what was asked for, terms of payment, feasts. Data only."""

from crm.drafts.language import AMERICAN_ENGLISH

REQUESTS: dict[str, dict[str, str]] = {
    "ko": {
        "catalogue": "카탈로그",
        "price_list": "단가표",
        "sample": "샘플",
        "quotation": "견적서",
        "meeting": "상담 일정",
        "certificate": "인증서",
    },
    "en": {
        "catalogue": "catalogue",
        "price_list": "price list",
        "sample": "sample",
        "quotation": "quotation",
        "meeting": "date for a meeting",
        "certificate": "certificates",
    },
    "zh-Hans": {
        "catalogue": "产品目录",
        "price_list": "价格表",
        "sample": "样品",
        "quotation": "报价单",
        "meeting": "洽谈时间",
        "certificate": "认证证书",
    },
    "zh-Hant": {
        "catalogue": "產品型錄",
        "price_list": "價目表",
        "sample": "樣品",
        "quotation": "報價單",
        "meeting": "洽談時間",
        "certificate": "認證證書",
    },
    "ja": {
        "catalogue": "カタログ",
        "price_list": "価格表",
        "sample": "サンプル",
        "quotation": "見積書",
        "meeting": "お打ち合わせの日程",
        "certificate": "認証書",
    },
    "es": {
        "catalogue": "catálogo",
        "price_list": "lista de precios",
        "sample": "muestra",
        "quotation": "cotización",
        "meeting": "fecha para una reunión",
        "certificate": "certificados",
    },
}


REQUESTS_THERE: dict[tuple[str, str], dict[str, str]] = {
    ("es", "ES"): {"quotation": "oferta"},
    **{("en", land): {"catalogue": "catalog"} for land in AMERICAN_ENGLISH},
    **{("zh-Hant", land): {"catalogue": "產品目錄"} for land in ("HK", "MO")},
}
"""Where a country has another word for it."""

PAYMENTS: dict[str, dict[str, str]] = {
    "tt_advance": {
        "ko": "사전 송금(T/T) 100%",
        "en": "100% T/T in advance",
        "zh-Hans": "电汇（T/T）预付100%",
        "zh-Hant": "電匯（T/T）預付100%",
        "ja": "前払い電信送金（T/T）100%",
        "es": "transferencia anticipada (T/T) del 100 %",
    },
    "tt_30_70": {
        "ko": "T/T 계약금 30%, 선적 전 잔금 70%",
        "en": "T/T, 30% deposit and 70% before shipment",
        "zh-Hans": "T/T，预付30%定金，发货前付清70%余款",
        "zh-Hant": "T/T，預付30%訂金，出貨前付清70%餘款",
        "ja": "電信送金（T/T）、前金30%・船積前70%",
        "es": "transferencia (T/T), 30 % de anticipo y 70 % antes del embarque",
    },
    "lc_sight": {
        "ko": "일람불 신용장(L/C)",
        "en": "irrevocable letter of credit at sight",
        "zh-Hans": "不可撤销即期信用证",
        "zh-Hant": "不可撤銷即期信用狀",
        "ja": "取消不能一覧払信用状（L/C）",
        "es": "carta de crédito irrevocable a la vista",
    },
}
"""Terms of payment by code; any other code is none that a letter can say."""
PAYMENTS_AT_HOME = {"tt_advance": "전액 선입금", "tt_30_70": "계약금 30%, 납품 전 잔금 70%"}

SEASON_NAMES: dict[str, dict[str, str]] = {
    "lunar_new_year": {
        "ko": "설",
        "en": "Lunar New Year",
        "zh-Hans": "春节",
        "zh-Hant": "春節",
        "ja": "旧正月",
        "es": "Año Nuevo Lunar",
    },
    "mid_autumn": {
        "ko": "추석",
        "en": "Mid-Autumn Festival",
        "zh-Hans": "中秋节",
        "zh-Hant": "中秋節",
        "ja": "中秋節",
        "es": "Festival de Medio Otoño",
    },
    "eid": {"ko": "이드", "en": "Eid", "zh-Hans": "尔德节", "zh-Hant": "爾德節", "ja": "イード", "es": "Eid"},
    "diwali": {
        "ko": "디왈리",
        "en": "Diwali",
        "zh-Hans": "排灯节",
        "zh-Hant": "排燈節",
        "ja": "ディワリ",
        "es": "Diwali",
    },
    "christmas": {
        "ko": "성탄절",
        "en": "Christmas",
        "zh-Hans": "圣诞节",
        "zh-Hant": "聖誕節",
        "ja": "クリスマス",
        "es": "Navidad",
    },
    "year_end": {
        "ko": "연말",
        "en": "the end of the year",
        "zh-Hans": "年末",
        "zh-Hant": "年末",
        "ja": "年末",
        "es": "fin de año",
    },
}
