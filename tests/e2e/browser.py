"""A headless Chromium, and what went wrong in it."""

import json
import shutil
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys  # noqa: F401, for tests

from waiting import wait_for


class Browser:
    def __init__(self, width=1440, height=900, dark=False, reduced=False):
        options = Options()
        self.profile = tempfile.mkdtemp(prefix="postern-chromium-")
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu",
                         "--disable-dev-shm-usage", "--hide-scrollbars",
                         "--disable-background-networking",
                         "--disable-component-update", "--no-first-run",
                         f"--user-data-dir={self.profile}",
                         f"--window-size={width},{height}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs",
                               {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(
            service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(20)
        self.requests = []
        self.cdp("Emulation.setDeviceMetricsOverride", width=width,
                 height=height, deviceScaleFactor=1, mobile=False)
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme",
             "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion",
             "value": "reduce" if reduced else "no-preference"}])

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def open(self, url):
        self.driver.get(url)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def one(self, css):
        return self.driver.find_element("css selector", css)

    def all(self, css):
        return self.driver.find_elements("css selector", css)

    def text(self, css):
        """Of all that match, as the page has it now."""
        return self.run("return [...document.querySelectorAll(arguments[0])]"
                        ".map((e) => e.innerText).join('\\n')", css)

    def wait_text(self, css, words, seconds=20):
        return wait_for(lambda: words in self.text(css),
                        f"{words!r} in {css}, where there is "
                        f"{self.text(css)[:2000]!r}", seconds)

    def press(self, *keys):
        """To whatever has the focus."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def focused(self):
        return self.run("const e = document.activeElement;"
                        "return e.id || e.name || e.className || e.tagName")

    def console(self):
        """What the console has said since it was asked last."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def asked_for(self):
        """What the page has asked for so far; the browser's own pages are
        its own."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent" and \
                    message["params"]["documentURL"].startswith("http"):
                self.requests.append(message["params"]["request"]["url"])
        return self.requests

    def picture(self, path):
        self.driver.save_screenshot(str(path))
