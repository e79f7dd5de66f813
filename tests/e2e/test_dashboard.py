"""The page in a real browser, with real mail behind it."""

import json
import os
import re

import pytest

import places
import users
from browser import Browser, Keys
from clients import Mail, swaks
from dialogue import Dialogue, logged_in
from messages import make_message
from server import run_once
from users import PASSWORDS
from waiting import wait_for
from web import OWNED, Web, send

EVIL = "<img src=x onerror=\"document.title='owned'\"><script>" \
       "document.title='owned'</script>"


@pytest.fixture
def web(site):
    return Web(site)


@pytest.fixture
def server(web, start):
    one = start(web.text_of(more=OWNED))
    web.wait(one)
    return one


@pytest.fixture
def browse(web):
    """browse(...) opens the page. At the end nothing was asked for elsewhere,
    and neither an error nor a violation of the policy was told."""
    opened = []

    def open_page(path="/", **options):
        browser = Browser(**options)
        browser.may_be_away = False
        opened.append(browser)
        browser.open(f"http://127.0.0.1:{web.port}{path}")
        return browser

    yield open_page
    for browser in opened:
        try:
            told = browser.console()
            asked = browser.asked_for()
            title = browser.driver.title
        finally:
            browser.close()
        if browser.may_be_away:
            told = [line for line in told if "net::ERR" not in line
                    and "404" not in line and "503" not in line]
        assert told == []
        assert "owned" not in title
        origin = f"http://127.0.0.1:{web.port}/"
        assert [url for url in asked if not url.startswith(origin)] == []
        assert asked


@pytest.fixture
def page(server, browse):
    browser = browse()
    browser.wait_text("#log-state", "live")
    return browser


def rows(page):
    return page.run("return [...document.querySelectorAll('.entry')]"
                    ".map((e) => e.innerText)")


def wait_rows(page, count):
    return wait_for(lambda: len(found) == count and found
                    if (found := rows(page)) is not None else None,
                    f"{count} entries")


def test_empty_it_says_how_to_begin(site, page):
    page.wait_text("#entries", "No decision yet")
    page.wait_text("#messages", "send one with swaks --server 127.0.0.1:"
                   f"{site.starttls} --tls")
    page.wait_text("#users-list", "Nobody has sent")
    page.wait_text("#rules-list", "No rule has refused")
    assert page.text("#hostname") == "mail.example.com"


def test_mail_shows_without_a_reload(site, page):
    page.run("window.isSame = true")
    mail = Mail("bob", PASSWORDS["bob"], "bob@example.com", "a@example.net",
                make_message("bob@example.com", "a@example.net", "live-one"))
    assert swaks(site, site.starttls, mail).sent
    page.wait_text("#entries", "bob@example.com → a@example.net")
    assert send(site, "eve", sender="ceo@example.com").code == 553
    page.wait_text("#entries", "eve may not send as ceo@example.com")
    page.wait_text("#messages", "test live-one")
    first, second = wait_rows(page, 2)
    assert "reject" in first and "accept" in second  # the newest first
    page.wait_text("#figures", "Accepted")
    assert page.run("return window.isSame") is True


def test_numbers_rates_users_and_budgets(site, page):
    for _ in range(3):
        assert send(site, "bob").code == 250
    assert send(site, "bob", recipients=5).code == 250  # some are deferred
    for _ in range(2):
        assert send(site, "eve", sender="ceo@example.com").code == 553
    page.wait_text("#figures", "Refused 2".replace(" ", "\n"))
    page.wait_text("#hour-reading", "2 refused")
    page.wait_text("#rules-list", "senders own their address")
    page.wait_text("#users-list", "bob")
    page.wait_text("#users-list", "recipients an hour")
    page.wait_text("#users-list", "used up")
    width = page.run("return document.querySelector('.user.full .used')"
                     ".style.width")
    assert float(width.rstrip("%")) > 95
    assert page.all("#hour-plot rect.accept")
    assert page.all("#hour-plot rect.reject")
    # A name is a filter.
    page.run("[...document.querySelectorAll('#users-list .name')]"
             ".find((b) => b.innerText === 'eve').click()")
    wait_for(lambda: rows(page) and all("eve" in row for row in rows(page)),
             "eve's alone")


def test_the_plot_is_read_by_keys_and_as_a_table(site, page):
    assert send(site, "bob").code == 250
    page.wait_text("#hour-reading", "1 accepted")
    page.run("document.querySelector('#hour-plot svg').focus()")
    wait_for(lambda: re.match(r"\d\d:\d\d ", page.text("#hour-reading")),
             "the minute that runs")
    # It may have begun behind the mail.
    if "1 accepted" not in page.text("#hour-reading"):
        page.press(Keys.ARROW_LEFT)
    page.wait_text("#hour-reading", "1 accepted")
    page.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    page.wait_text("#hour-reading", "0 accepted")
    page.press(Keys.HOME)
    assert page.run("return document.querySelector('#hour-plot .cursor')"
                    ".getAttribute('visibility')") == "visible"
    page.one("#hour details summary").click()
    assert len(page.all("#hour-table tbody tr")) == 60


def test_filters(site, page):
    assert send(site, "bob").code == 250
    assert send(site, "eve").code == 250
    assert send(site, "eve", sender="ceo@example.com").code == 553
    wait_rows(page, 3)
    page.one("[name=user]").send_keys("eve")
    wait_rows(page, 2)
    page.one("[name=verdict]").send_keys("reject")
    [only] = wait_rows(page, 1)
    assert "eve may not send as ceo@example.com" in only
    assert "user=eve" in page.driver.current_url
    # What comes now is filtered as well.
    assert send(site, "bob").code == 250
    assert send(site, "eve", sender="cfo@example.com").code == 553
    wait_rows(page, 2)
    # They outlive a reload of the page.
    page.driver.refresh()
    wait_rows(page, 2)
    assert page.run("return document.querySelector('[name=user]').value"
                    ) == "eve"
    page.one("#filters button[type=reset]").click()
    wait_rows(page, 5)
    page.one("[name=user]").send_keys("nobody")
    page.wait_text("#entries", "No decision matches")
    page.one("#filters button[type=reset]").click()
    page.one("[name=since]").send_keys("soon")
    page.wait_text("#filter-fault", "is no time")
    page.may_be_away = False
    assert [line for line in page.console() if "400" not in line] == []


def test_paused_it_holds_what_comes(site, page):
    page.one("#pause").click()
    assert send(site, "bob").code == 250
    page.wait_text("#log-state", "1 new, held")
    assert not page.all(".entry")
    page.one("#pause").click()
    wait_rows(page, 1)
    page.wait_text("#log-state", "live")


def test_a_decision_explained_at_a_click(site, page):
    reply = send(site, "eve", sender="ceo@example.com")
    [identity] = re.findall(r"\((\w{12})\)", reply.text)
    wait_rows(page, 1)
    page.one(".entry").click()
    page.wait_text("#story-text", "senders own their address: refuses")
    assert page.text("#story-title") == identity
    told = run_once("explain", identity, "-c", site.folder / "postern.yaml")
    assert page.run("return document.querySelector('#story-text').textContent"
                    ) == told.stdout
    page.one("#story summary").click()
    line = json.loads(page.text("#story-line"))
    assert line["id"] == identity
    page.one("#story-close").click()
    assert not page.run("return document.querySelector('#story').open")


def test_all_of_it_by_keyboard(site, page):
    assert send(site, "bob").code == 250
    assert send(site, "eve", sender="ceo@example.com").code == 553
    wait_rows(page, 2)
    page.wait_text("#messages", "test mail")
    page.press(Keys.TAB)
    assert page.run("return document.activeElement.className") == "skip"
    shown = page.run("const b = document.activeElement.getBoundingClientRect();"
                     "return b.left >= 0 && b.width > 10")
    assert shown
    page.press(Keys.ENTER)
    seen = []
    for _ in range(40):
        page.press(Keys.TAB)
        seen.append(page.focused())
        outline = page.run("return getComputedStyle(document.activeElement)"
                           ".outlineStyle")
        assert outline != "none", seen
        if page.focused() == "entries":
            break
    assert seen[0] == "pause"
    assert page.focused() == "entries"
    # The newest is chosen; further down is older.
    page.press(Keys.ARROW_DOWN)
    page.press(Keys.ENTER)
    page.wait_text("#story-text", "bob@example.com")
    page.press(Keys.ESCAPE)
    assert page.focused() == "entries"
    page.press(Keys.HOME, Keys.ENTER)
    page.wait_text("#story-text", "senders own their address")
    page.press(Keys.ESCAPE)
    page.press("/")
    assert page.focused() == "user"
    page.press("e", "v", "e")
    wait_rows(page, 1)
    page.press(Keys.ESCAPE)
    assert page.focused() == "entries"
    # And the mail.
    page.run("document.querySelector('#messages').focus()")
    page.press(Keys.HOME, Keys.ENTER)
    page.wait_text("#message", "spaces and tabs")
    page.press(Keys.ESCAPE)
    assert page.focused() == "messages"


def test_what_is_chosen_stays_chosen(site, page):
    assert send(site, "bob").code == 250
    wait_rows(page, 1)
    page.run("document.querySelector('#entries').focus()")
    page.press(Keys.HOME)
    chosen = page.run("return document.querySelector('#entries')"
                      ".getAttribute('aria-activedescendant')")
    assert send(site, "eve").code == 250
    wait_rows(page, 2)
    assert page.run("return document.querySelector('#entries')"
                    ".getAttribute('aria-activedescendant')") == chosen
    assert page.run("return document.querySelector('.entry:last-child').id"
                    ) == chosen


MULTIPART = """\
From: =?utf-8?q?J=C3=BCrgen?= <bob@example.com>\r
To: a@example.net\r
Subject: =?utf-8?b?R3LDvMOf?= =?utf-8?b?ZSBhdXMgS8O2bG4=?=\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="b 1"\r
\r
--b 1\r
Content-Type: multipart/alternative; boundary=b2\r
\r
--b2\r
Content-Type: text/plain; charset=iso-8859-1\r
Content-Transfer-Encoding: quoted-printable\r
\r
Sch=F6ne Gr=FC=\r
=DFe\r
--b2\r
Content-Type: text/html; charset=utf-8\r
\r
<p onclick="document.title='owned'">rich</p><script src="//evil.example/x.js">\
</script><img src="https://tracker.example/pixel.png">\r
--b2--\r
--b 1\r
Content-Type: application/pdf\r
Content-Disposition: attachment; filename*=utf-8''%C3%9Cbersicht.pdf\r
Content-Transfer-Encoding: base64\r
\r
JVBERi0xLjQK\r
--b 1--\r
"""


def test_a_mail_is_read(site, page):
    assert send(site, content=MULTIPART.encode()).code == 250
    page.wait_text("#messages", "Grüße aus Köln")
    assert "Jürgen" in page.text("#messages")
    page.one(".message").click()
    page.wait_text("#message h3", "Grüße aus Köln")
    assert "Schöne Grüße" in page.text("#message .body")
    assert "Übersicht.pdf — application/pdf, 9 B" in page.text(".attachments")
    html = page.run("return [...document.querySelectorAll('#message details')]"
                    ".find((d) => d.innerText.includes('HTML'))"
                    ".querySelector('pre').textContent")
    assert '<img src="https://tracker.example/pixel.png">' in html
    assert not page.all("#message img") and not page.all("#message script")
    href = page.run("return document.querySelector('#message a').href")
    assert "/api/mail/" in href
    assert page.run("return document.querySelector('#message a').download"
                    ) == ""


def test_what_mail_brings_is_text(site, page):
    """Names, subjects, greetings, header fields, passwords' owners."""
    body = (f"From: {EVIL} <bob@example.com>\r\nTo: a@example.net\r\n"
            f"Subject: {EVIL}\r\nX-Evil: {EVIL}\r\n"
            f'Content-Type: multipart/mixed; boundary="{EVIL[:20]}"\r\n'
            f"\r\n{EVIL}\r\n").encode().replace(b'="<img src=x onerror=',
                                                b'="x')
    with logged_in(site, "bob", PASSWORDS["bob"]) as client:
        client.say(f"EHLO {EVIL.replace(' ', '/')}")
        client.expect(250, "MAIL FROM:<bob@example.com>")
        client.say('RCPT TO:<"<script>document.title=1</script>"@example.net>')
        client.expect(250, "RCPT TO:<a@example.net>")
        assert client.message(body).code == 250
    with Dialogue(site.starttls) as client:
        client.expect(220)
        client.hello()
        client.starttls()
        client.hello()
        assert client.login(EVIL, "wrong").code == 535
    page.wait_text("#entries", "bob")
    page.wait_text("#messages", "<script>document.title='owned'</script>")
    page.one("[name=event]").send_keys("all")
    wait_for(lambda: len(rows(page)) >= 3, "all events")
    for i in range(len(rows(page))):
        page.run("document.querySelectorAll('.entry')[arguments[0]].click()", i)
        wait_for(lambda: "Looking" not in page.text("#story-text"), "a story")
        page.one("#story-close").click()
    page.one(".message").click()
    page.wait_text("#message h3", EVIL)
    assert page.run("return document.querySelectorAll("
                    "'main img, main script, #story img, #story script')"
                    ".length") == 0
    page.console_away = True
    assert [line for line in page.console()
            if "api/explain" not in line] == []


def test_what_policies_and_folders_bring_is_text(site, web, start, browse):
    """Names of rules, their replies, and names of files."""
    policy = json.dumps({"mail": [{
        "rule": EVIL, "when": {"mail.from.local": "forger"},
        "reject": f"553 5.7.1 {EVIL}"}]})
    web.wait(start(web.text_of(more=f"policy: {policy}\n")))
    (site.maildir / "new" / EVIL.replace("/", ":")).write_bytes(
        b"Subject: named\n\n.\n")
    page = browse()
    assert send(site, "bob", sender="forger@example.com").code == 553
    page.wait_text("#rules-list", EVIL)
    page.wait_text("#entries", EVIL)
    page.one(".entry").click()
    page.wait_text("#story-text", EVIL)
    page.one("#story-close").click()
    page.wait_text("#messages", "named")
    page.one(".message").click()
    page.wait_text("#message h3", "named")
    # A name is a filter, whatever it holds.
    page.run("document.querySelector('#rules-list .name').click()")
    wait_rows(page, 1)
    assert page.run("return document.querySelectorAll('main img, main script, "
                    "#story img, #story script').length") == 0


def test_nothing_makes_markup_of_text():
    for path in (places.ROOT / "proxy" / "http" / "page").glob("*.js"):
        made = re.findall(r"innerHTML\s*[+=]|outerHTML|insertAdjacentHTML|"
                          r"document\.write|srcdoc|DOMParser|eval\(|Function\(",
                          path.read_text(encoding="utf-8"))
        assert made == [], path


def test_the_log_goes_and_comes(site, page, server):
    """Rotated, and away before there is another."""
    page.may_be_away = True
    assert send(site, "bob").code == 250
    wait_rows(page, 1)
    site.log.rename(f"{site.log}.1")
    assert send(site, "eve").code == 250  # into what was the log
    page.run("return new Promise((resolve) => setTimeout(resolve, 1000))")
    run_once("reload", "-c", server.config, seconds=60)
    assert send(site, "bob", recipients=2).code == 250
    wait_rows(page, 3)
    page.wait_text("#log-state", "live")
    # Cut off, and gone altogether: what is there is shown, and the gap.
    os.truncate(site.log, 0)
    assert send(site, "eve").code == 250
    page.wait_text("#entries", "lines between were passed over")
    site.log.unlink()
    run_once("reload", "-c", server.config, seconds=60)
    assert send(site, "bob", recipients=3).code == 250
    page.wait_text("#entries", "(+2)")
    page.wait_text("#log-state", "live")


def test_messages_as_they_come(page):
    """The reading of MIME, by a table of cases and by noise."""
    cases = [
        ("Subject: =?utf-8?q?a=5Fb_c?=\n\nx", "a_b c"),
        ("Subject: =?iso-8859-1?Q?=FC?= =?utf-8?B?w7w=?=\n\nx", "üü"),
        ("Subject: =?utf-8?B?w7?= =?utf-8?B?w=?=\n\nx", None),
        ("Subject: =?x-unknown?q?a?= b\n\nx", "a b"),
        ("Subject: a\n\tfolded\n  twice\n\nx", "a\tfolded  twice"),
        ("Subject: plain =?utf-8?q?not", "plain =?utf-8?q?not"),
        ("Subject: \xc3\xbc raw\n\nx", "ü raw"),
        ("Subject: \xfc latin\n\nx", "ü latin"),
        ("\n\nno header", ""),
        ("", ""),
        (":\n: x\n\n", ""),
    ]
    for octets, want in cases:
        got = page.run("const m = postern.readMail(arguments[0]);"
                       "return (m.fields.find(([k]) => k === 'Subject')"
                       " || ['', ''])[1]", octets)
        assert want is None or got == want, octets
    parameters = page.run(
        "return postern.readParameters(arguments[0]).parameters",
        'a/b; Name="x \\"y\\""; filename*0*=utf-8\'\'%C3%9C; '
        "filename*1=ber; filename*2*=%20z; boundary=q")
    assert parameters == {"name": 'x "y"', "filename": "Über z",
                          "boundary": "q"}
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n"
                   for i in range(500))
    assert page.run("return postern.readMail(arguments[0]).parts", deep) <= 201
    many = "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n" * 5000
    assert page.run("return postern.readMail(arguments[0]).text.length",
                    many) <= 200
    thrown = page.run("""
        let seed = 7;
        const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
        const base = arguments[0];
        for (let round = 0; round < 3000; round++) {
          let octets = base;
          for (let i = random(12); i >= 0; i--) {
            const at = random(octets.length), length = random(40);
            const piece = [octets.slice(random(octets.length)).slice(0, 30),
                           String.fromCharCode(random(256)), '', '\\r\\n',
                           '=?', '--b2', '%', '"', ';', "''"][random(10)];
            octets = octets.slice(0, at) + piece + octets.slice(at + length);
          }
          try { postern.readMail(octets); }
          catch (error) { return [String(error), octets]; }
        }
        return null;""", MULTIPART.encode().decode("latin-1"))
    assert thrown is None


LONG = 1 << 18


@pytest.mark.parametrize("octets", [
    "Content-Transfer-Encoding: quoted-printable\n\n" + " " * LONG + "x",
    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + "\t" * LONG + "x",
    "Subject: " + " " * LONG + "x\n\n",
    "Content-Type: a/b;" + " " * LONG + "x\n\n",
    "Content-Type: a/b" + "; x=\"" * (LONG // 5) + "\n\n",
    "Subject: " + "=?a?q?" * (LONG // 6) + "\n\n",
    "Content-Transfer-Encoding: base64\n\n" + "=\n" * (LONG // 2),
    "\n " * (LONG // 2)],
    ids=["quoted", "parts", "blanks", "parameter", "quotes", "words", "base64",
         "folds"])
def test_no_mail_takes_long_to_read(page, octets):
    """What takes time with the square of a line's length takes a minute."""
    took = page.run("const begun = performance.now();"
                    "postern.readMail(arguments[0]);"
                    "return performance.now() - begun", octets)
    assert took < 10000


@pytest.mark.parametrize("name", ["__proto__", "constructor"])
def test_a_parameter_may_have_any_name(page, name):
    parameters = page.run(
        "return Object.entries(postern.readParameters(arguments[0]).parameters)",
        f"a/b; {name}*0=x; {name}*1=y; {name}=z; filename=n")
    assert [name, "xy"] in parameters and ["filename", "n"] in parameters


def test_lines_of_whatever_shape(site, page):
    """In the log may be what another program, or another version, wrote."""
    page.one("[name=event]").send_keys("all")
    page.wait_text("#entries", "No decision matches")
    strange = [None, 7, "x", [], [None], [7], ["x"], {}, [{}], [[]]]
    keys = ["rcpt", "mail", "rules", "rule", "auth", "client", "upstream",
            "message", "reply", "caps", "end", "time", "id", "verdict", "lost"]
    kinds = ["transaction", "auth", "session", "limit", "list", "upstream",
             "config", "log", "constructor", "__proto__", "x"]
    lines = [{"event": kind, **dict.fromkeys(keys, value)}
             for kind in kinds for value in strange]
    with site.log.open("a", encoding="utf-8") as log:
        log.writelines(json.dumps(line) + "\n" for line in lines)
    wait_rows(page, len(lines))
    assert send(site, "bob").code == 250
    page.wait_text("#entries", "bob@example.com → r0@example.net")


def test_a_log_of_thousands_of_lines_stays_small(site, page):
    assert send(site, "bob").code == 250
    [first] = wait_rows(page, 1)
    page.run("document.querySelector('#entries').focus()")
    page.press(Keys.HOME)
    chosen = page.run("return document.querySelector('#entries')"
                      ".getAttribute('aria-activedescendant')")
    [line] = [line for line in site.log.read_text(encoding="utf-8")
              .splitlines() if '"event":"transaction"' in line]
    with site.log.open("a", encoding="utf-8") as log:
        log.write((line + "\n") * 2500)
        log.write(line.replace("r0@example.net", "last@example.net") + "\n")
    page.wait_text("#entries", "last@example.net")
    assert len(page.all(".entry")) == 1000
    assert page.run("return document.querySelector('.entry:last-child').id"
                    ) == chosen


def test_what_comes_late_is_not_shown(site, page):
    """Of a mail, or a decision, beside which another was chosen since."""
    for user in ("bob", "eve"):
        assert send(site, user).code == 250
    wait_rows(page, 2)
    wait_for(lambda: len(page.all(".message")) == 2, "two mails")
    # Of each kind the first answer is held back, and is a fault.
    page.run("""
      const ask = window.fetch;
      const held = { mail: null, explain: null };
      window.letGo = () => Object.values(held).forEach((f) => f());
      window.fetch = async (path, options) => {
        const kind = /^\\/api\\/(mail|explain)\\//.exec(path)?.[1];
        if (!kind || held[kind]) return ask(path, options);
        await new Promise((resolve) => { held[kind] = resolve; });
        return new Response('too late', { status: 500 });
      };""")
    page.run("document.querySelectorAll('.message')[0].click()")
    page.run("document.querySelectorAll('.message')[1].click()")
    page.run("document.querySelectorAll('.entry')[0].click()")
    page.run("document.querySelectorAll('.entry')[1].click()")
    page.wait_text("#message h3", "test mail")
    page.wait_text("#story-text", "bob@example.com")
    page.run("return new Promise((resolve) => {"
             "  letGo(); setTimeout(resolve, 200); })")
    assert "too late" not in page.text("#message")
    assert "too late" not in page.text("#story-text")


def test_it_survives_the_worker_process(site, page, server):
    page.may_be_away = True
    assert send(site, "bob").code == 250
    wait_rows(page, 1)
    page.run("window.isSame = true")
    server.kill_worker()
    assert wait_for(lambda: _try(send, site, "eve"), "mail again", 40) == 250
    wait_rows(page, 2)
    wait_for(lambda: page.run("return document.querySelector('#away').hidden"),
             "that it is here again", 40)
    assert page.run("return window.isSame") is True


def _try(function, *arguments):
    try:
        return function(*arguments).code
    except (OSError, AssertionError, Exception):
        return None


def test_it_says_that_the_server_is_away_and_comes_back(site, web, page,
                                                        server, start):
    page.may_be_away = True
    assert send(site, "bob").code == 250
    wait_rows(page, 1)
    server.terminate()
    assert server.wait_end() == 0
    page.wait_text("#away", "does not answer since")
    assert page.run("return document.querySelector('#state').className"
                    ) == "lamp away"
    again = start(web.text_of(more=OWNED))
    web.wait(again)
    wait_for(lambda: page.run("return document.querySelector('#away').hidden"),
             "that it is here again", 40)
    assert send(site, "eve").code == 250
    wait_rows(page, 2)


def test_a_reload_and_an_upgrade_go_unnoticed(site, page, server):
    for words in (["upgrade"], ["reload"]):
        run_once(*words, "-c", server.config, seconds=120)
        assert send(site, "bob").code == 250
    wait_rows(page, 2)
    assert page.run("return document.querySelector('#away').hidden")


# WCAG 2: the contrast of what is written to what is behind it.
CONTRASTS = """
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c /= 255) <= .03928 ? c / 12.92
      : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > .5) return c.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3
      && n.textContent.trim() !== '');
    if (!own || e.offsetParent === null || e.closest('svg')) continue;
    const a = luminance(parse(getComputedStyle(e).color).slice(0, 3));
    const b = luminance(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) low.push([e.className || e.tagName, e.innerText, ratio]);
  }
  return low;
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1440, 1600])
def test_it_can_be_read(site, server, browse, dark, width):
    for _ in range(6):
        send(site, "bob")
    send(site, "eve", sender="ceo@example.com")
    page = browse(width=width, dark=dark)
    page.wait_text("#entries", "reject")
    page.wait_text("#users-list", "bob")
    background = page.run(
        "return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background))) < 200) is dark
    assert page.run(CONTRASTS) == []
    assert page.run("return document.documentElement.scrollWidth"
                    " - innerWidth") <= 0
    cut = page.run("return [...document.querySelectorAll('main section, "
                   "header')].filter((e) => e.getBoundingClientRect().right >"
                   " innerWidth + 1).map((e) => e.id)")
    assert cut == []


def test_motion_is_reduced_where_it_is_not_wanted(site, server, browse):
    page = browse(reduced=True)
    page.wait_text("#log-state", "live")
    assert send(site, "bob").code == 250
    wait_rows(page, 1)
    assert page.run("return getComputedStyle(document.querySelector('.entry'))"
                    ".animationName") == "none"


def test_what_is_marked_up_makes_sense(site, page):
    assert send(site, "bob").code == 250
    wait_rows(page, 1)
    assert page.run("return document.documentElement.lang") == "en"
    assert len(page.all("h1")) == 1
    unnamed = page.run("""
      return [...document.querySelectorAll(`button, a, input, select, section,
              [role=listbox], [role=img], nav, dialog`)]
        .filter((e) => !(e.getAttribute('aria-label') || e.innerText.trim()
          || e.getAttribute('aria-labelledby') || e.labels?.length))
        .map((e) => e.outerHTML.slice(0, 80))""")
    assert unnamed == []
    ids = page.run("return [...document.querySelectorAll('[id]')]"
                   ".map((e) => e.id)")
    assert len(ids) == len(set(ids))


def test_without_a_maildir_there_is_no_mail(site, web, start, browse,
                                            aiosmtpd):
    web.wait(start(web.text_of(upstream=site.to_port(aiosmtpd.port))))
    page = browse()
    page.may_be_away = True  # /api/mail is not there
    page.wait_text("#log-state", "live")
    page.wait_text("#upstreams-list", f"127.0.0.1:{aiosmtpd.port}")
    assert not page.one("#mail").is_displayed()
    assert users.PASSWORDS
