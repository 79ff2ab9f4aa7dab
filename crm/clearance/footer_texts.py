"""Sentences of the legal footer in the six letter languages, and the refusal notice in those a law names besides.

No sentence ends in a name and a full stop: many names end in one themselves (Co., Ltd.).
"""

LETTER_LANGUAGES = ("ko", "en", "zh-Hans", "zh-Hant", "ja", "es")

ON_BEHALF = {
    "ko": "이 메일은 {operator}에서 {exporter}의 위탁을 받아 보냅니다.",
    "en": "Sent by {operator} on behalf of {exporter}",
    "zh-Hans": "本邮件由{operator}受{exporter}委托发送。",
    "zh-Hant": "本郵件由{operator}受{exporter}委託寄送。",
    "ja": "本メールは、{exporter}の委託を受けて{operator}が送信しています。",
    "es": "Enviado por {operator} por cuenta de {exporter}",
}
POSTAL_ADDRESS = {
    "ko": "주소: {value}",
    "en": "Address: {value}",
    "zh-Hans": "地址：{value}",
    "zh-Hant": "地址：{value}",
    "ja": "住所：{value}",
    "es": "Dirección: {value}",
}
EMAIL = {
    "ko": "이메일: {value}",
    "en": "E-mail: {value}",
    "zh-Hans": "电子邮箱：{value}",
    "zh-Hant": "電子郵件：{value}",
    "ja": "メール：{value}",
    "es": "Correo electrónico: {value}",
}
PHONE = {
    "ko": "전화: {value}",
    "en": "Telephone: {value}",
    "zh-Hans": "电话：{value}",
    "zh-Hant": "電話：{value}",
    "ja": "電話：{value}",
    "es": "Teléfono: {value}",
}
COMPLAINTS = {
    "ko": "불만 및 문의: {value}",
    "en": "Complaints and questions: {value}",
    "zh-Hans": "投诉与咨询：{value}",
    "zh-Hant": "申訴與諮詢：{value}",
    "ja": "苦情・お問い合わせ先：{value}",
    "es": "Reclamaciones y consultas: {value}",
}
ADVERTISEMENT = {
    "ko": "이 메일은 {exporter}의 광고입니다.",
    "en": "{exporter} sends this e-mail as an advertisement.",
    "zh-Hans": "本邮件为{exporter}的广告。",
    "zh-Hant": "本郵件為{exporter}的廣告。",
    "ja": "本メールは{exporter}の広告です。",
    "es": "{exporter} envía este correo como publicidad.",
}
SOURCE_NOTICE = {
    "ko": "메일 주소를 받은 곳: {where}, {date}",
    "en": "Where we obtained your address: {where}, {date}",
    "zh-Hans": "您的邮箱地址来源：{where}，{date}",
    "zh-Hant": "您的電子郵件地址來源：{where}，{date}",
    "ja": "メールアドレスの入手元：{where}、{date}",
    "es": "Dónde obtuvimos su dirección: {where}, {date}",
}
BOOTH = {
    "ko": "{fair} 부스 {booth}",
    "en": "{fair}, booth {booth}",
    "zh-Hans": "{fair} {booth}展位",
    "zh-Hant": "{fair} {booth}攤位",
    "ja": "{fair} ブース{booth}",
    "es": "{fair}, stand {booth}",
}
PRIVACY = {
    "ko": "개인정보 처리방침: {value}",
    "en": "Privacy notice: {value}",
    "zh-Hans": "隐私声明：{value}",
    "zh-Hant": "隱私權聲明：{value}",
    "ja": "個人情報の取り扱い：{value}",
    "es": "Aviso de privacidad: {value}",
}
RIGHT_TO_OBJECT = {
    "ko": "직접 마케팅 목적의 개인정보 이용에 언제든지 반대하실 수 있습니다.",
    "en": "You have the right to object at any time to the use of your data for direct marketing.",
    "zh-Hans": "您有权随时反对将您的个人信息用于直接营销。",
    "zh-Hant": "您有權隨時反對將您的個人資料用於直接行銷。",
    "ja": "ダイレクトマーケティングを目的とした個人情報の利用には、いつでも異議を申し立てる権利があります。",
    "es": "Usted tiene derecho a oponerse en cualquier momento al uso de sus datos para mercadotecnia directa.",
}
# A law may ask for the refusal notice in a language in which we write no letters; these stand here for that alone.
UNSUBSCRIBE = {
    "ko": "메일을 더 받고 싶지 않으시면 아래 링크에서 수신을 거부하실 수 있습니다.",
    "en": "You may unsubscribe from our e-mail at any time with the link below.",
    "zh-Hans": "如您不希望再收到我们的邮件，请通过以下链接退订。",
    "zh-Hant": "如您不希望再收到我們的郵件，請透過以下連結取消訂閱。",
    "ja": "今後のメール配信を希望されない場合は、下記のリンクから配信を停止できます。",
    "es": "Si no desea recibir más correos nuestros, puede darse de baja en el siguiente enlace.",
    "vi": "Nếu không muốn nhận thêm thư của chúng tôi, xin vui lòng từ chối theo liên kết dưới đây.",
    "pt": "Se não deseja receber mais e-mails nossos, utilize a ligação abaixo.",
}
FREE_OF_CHARGE = {
    "ko": "수신 거부에는 비용이 들지 않습니다.",
    "en": "Refusing costs you nothing.",
    "zh-Hans": "退订不收取任何费用。",
    "zh-Hant": "取消訂閱不收取任何費用。",
    "ja": "配信停止に費用はかかりません。",
    "es": "La baja es gratuita.",
    "vi": "Việc từ chối nhận thư là miễn phí.",
    "pt": "O cancelamento é gratuito.",
}
EARLIER = {
    ("unsubscribe_statement", "en"): (
        "If you do not wish to receive further e-mail from us, please use the link below.",
    ),
}
"""(item, language) → what used to be written: a letter that was approved with it and waits to leave may still leave."""
UNSUBSCRIBE_EMAIL = {
    "ko": "이메일로 수신 거부: {value}",
    "en": "Refuse by e-mail: {value}",
    "zh-Hans": "通过电子邮件退订：{value}",
    "zh-Hant": "以電子郵件取消訂閱：{value}",
    "ja": "メールでの配信停止：{value}",
    "es": "Baja por correo electrónico: {value}",
}
# Procuraduría Federal del Consumidor (Ley Federal de Protección al Consumidor, Art. 17).
CONSUMER_AGENCY = "Procuraduría Federal del Consumidor (PROFECO): https://www.gob.mx/profeco"
