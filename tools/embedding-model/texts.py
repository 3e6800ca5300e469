"""200 texts as unlike each other as what people send to a support desk."""

SUPPORT = [
    "How do I reset my password?", "I was charged twice for my subscription this month.",
    "The invoice for October never arrived.", "Our VPN certificate expired and nobody can sign in.",
    "Bulk import fails at row 1042 with 'invalid date'.", "Please merge these two accounts.",
    "SSO login loops back to the sign-in page after the identity provider.",
    "Where can I download last year's receipts?", "The mobile app crashes when I open settings.",
    "Can I change the billing address after the order was placed?",
    "I want a refund. The product does not do what the page says.",
    "My account is locked after too many attempts.", "E-mails to our domain bounce with 550 5.7.1.",
    "The export has 0 rows although the table shows 300.", "Webhooks arrive twice since Tuesday.",
    "Is there an API rate limit, and what happens when I hit it?",
    "Two-factor codes are rejected although the clock is right.", "Thanks, that solved it!",
    "Still broken.", "URGENT!!! PRODUCTION DOWN!!! CALL ME", "ok", "?", "hi",
    "As discussed on the phone, kindly find attached the signed contract.",
    "The printer on the third floor prints blank pages again.",
]
LANGUAGES = [
    "Wie setze ich mein Passwort zurück?", "Die Rechnung für März fehlt, bitte erneut zusenden.",
    "Je n'arrive plus à me connecter à mon compte.", "¿Cómo cancelo mi suscripción antes del próximo pago?",
    "Não recebi o e-mail de confirmação.", "La fattura contiene un importo sbagliato.",
    "パスワードをリセットする方法を教えてください。", "请问如何更改发票抬头？", "비밀번호를 잊어버렸어요.",
    "Как восстановить доступ к аккаунту?", "كيف يمكنني إلغاء الاشتراك؟", "איך משנים את כתובת החיוב?",
    "मेरा खाता बंद हो गया है।", "ฉันเข้าสู่ระบบไม่ได้", "Şifremi unuttum, ne yapmalıyım?",
    "Πώς αλλάζω τον κωδικό μου;", "Hvordan endrer jeg fakturaadressen?", "Jak zmienić hasło?",
    "Tôi không nhận được hóa đơn.", "Miten peruutan tilaukseni?", "Hogyan kérhetek visszatérítést?",
    "Cum îmi schimb adresa de e-mail?", "Ako zmením jazyk aplikácie?", "Як скасувати підписку?",
    "Hoe kan ik mijn gegevens exporteren?",
]
CODE = [
    "fn main() { println!(\"{}\", 1 + 1); }", "SELECT id, email FROM users WHERE locked = 1 ORDER BY id;",
    "kubectl -n prod rollout restart deployment/api", "curl -X POST https://api.example.com/v1/invoices -H 'Authorization: Bearer x'",
    "Traceback (most recent call last):\n  File \"app.py\", line 12, in <module>\nKeyError: 'customer_id'",
    "<div class=\"error\" id='e1'>Not found</div>", "{\"status\": 500, \"error\": {\"code\": \"E_TIMEOUT\"}}",
    "2026-03-01T12:00:00Z ERROR db: connection refused (os error 111)", "git rebase --interactive HEAD~3",
    "^[A-Z]{2}\\d{4}-[0-9a-f]{8}$", "x = [i**2 for i in range(10) if i % 2]", "rm -rf ./build && make -j8",
    "openssl s_client -connect mail.example.com:465 -showcerts", "java.lang.NullPointerException at com.example.Foo.bar(Foo.java:42)",
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30",
    "#!/bin/sh\nset -eu\nfor f in *.csv; do wc -l \"$f\"; done", "import { useState } from 'react';",
    "0x7fff5fbff8c0 in malloc_error_break ()", "mov eax, [ebx+4*ecx]\nadd eax, 0x10", "C:\\Users\\name\\AppData\\Local\\Temp",
    "199.247.0.12 - - [01/Mar/2026] \"GET /health HTTP/2\" 200 2", "$$\\int_0^1 x^2 dx = 1/3$$",
    "| plan | price |\n|---|---|\n| basic | 9 € |", "a,b,c\n1,2,3\n4,5,6",
]
ODD = [
    "", " ", "\n\t\n", ".", "!!!???!!!", "----------", "😀", "👩‍👩‍👧‍👦 family plan 🏳️‍🌈", "€£¥₹₽", "½ ¼ ² ³ № ™ ©",
    "a" * 90, "a" * 300, "0123456789" * 12, "é" * 40, "e\u0301" * 40, "\u202eright to left override", "\ufeffbyte order mark",
    "zero\u200bwidth\u200bspace", "null\x00byte", "tab\tand\x07bell", "ﬁ ligature and ﷽", "Ａｆｕｌｌｗｉｄｔｈ", "Z̷̢͝a̶̡͘l̸̨͐g̵̛o", "[CLS] [SEP] [MASK] [PAD] [UNK]",
    "Ⅷ ⑧ ８ 8",
]
SENTENCES = [
    "The service keeps a copy of every message for ninety days and then removes it.",
    "Open the settings, choose the team, and press the button with the three dots.",
    "If the certificate has expired, ask the administrator for a new one before you restart the gateway.",
    "Refunds take five to seven working days, depending on the bank.",
    "A failed job is tried again three times, each time after a longer pause.",
    "Only owners can change the plan; members see the page without its buttons.",
    "Gradient descent follows the negative slope of a function towards a minimum.",
    "The river rose overnight and flooded the lower town.",
    "She sold sea shells, the shells she sold were sea shells for sure.",
    "Preheat the oven to 180 degrees and butter a round tin.",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
    "The court found that the contract was void from the beginning.",
    "Mitochondria have their own DNA, inherited from the mother.",
    "A supersonic boundary layer becomes unstable when the wall is heated.",
    "The central bank left its rate unchanged for the fourth time.",
    "He plays the second violin and repairs old clocks.",
    "Queue depth grew until the consumer was given more memory.",
    "Passengers for the ferry must be at the pier half an hour before it leaves.",
    "No warranty is given, neither expressed nor implied.",
    "The patient was discharged on the third day without complaints.",
]


def paragraphs():
    """Texts of 2 to 60 sentences, the longest well past what the model reads."""
    for n in range(60):
        length = 2 + n
        yield " ".join(SENTENCES[(n * 7 + i * (1 + n % 3)) % len(SENTENCES)] for i in range(length))


def mixed():
    """Long texts in which kinds meet, as they do in a ticket with a log pasted into it."""
    for n in range(20):
        yield "\n\n".join([SUPPORT[n], CODE[n], LANGUAGES[n], SENTENCES[n], CODE[-1 - n]])


TEXTS = [*SUPPORT, *LANGUAGES, *CODE, *ODD, *SENTENCES, *paragraphs(), *mixed()]
assert len(TEXTS) == 200, len(TEXTS)
