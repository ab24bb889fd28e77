#!/usr/bin/env python3
"""Looks at pages in headless Chromium, over its debugging pipe: what a page shows, whether it overflows, and what it looks like.

check  PAGE VERDICT...   exits with 1 when a page is not as it has to be, at three widths, light and dark
shoot  PAGE PREFIX       writes PREFIX-<width>-<light|dark>.png for three widths, and PREFIX.pdf
"""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

WIDTHS = (390, 1280, 1920)
SCHEMES = ("light", "dark")
CONTRAST_MIN = 4.5

# Everything that is asked of a page, in one look at it.
LOOK = """(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = (part) => { const s = part / 255; return s <= 0.03928 ? s / 12.92 : Math.pow((s + 0.055) / 1.055, 2.4); };
  const luminance = (c) => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || (c.length === 4 && c[3] > 0.99)) return c;
    }
    return [255, 255, 255];
  };
  const faint = new Set(), small = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement, text = node.textContent.trim();
    if (!text || element.closest('title') || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const color = parse(element instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [luminance(color), luminance(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < CONTRAST) faint.add(`${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
    if (parseFloat(style.fontSize) < 10) small.add(`${style.fontSize}: ${text.slice(0, 40)}`);
  }
  const figures = [...document.querySelectorAll('figure')];
  const name = (figure) => figure.querySelector('figcaption')?.textContent ?? '(no title)';
  const width = document.documentElement.clientWidth;
  return {
    verdict: document.getElementById('verdict')?.textContent ?? '',
    overflow: document.documentElement.scrollWidth - width,
    outside: [...document.querySelectorAll('svg.plot text')].filter((t) => {
      const r = t.getBoundingClientRect(); return r.width > 0 && (r.right > width + 1 || r.left < -1);
    }).map((t) => t.textContent),
    faint: [...faint], small: [...small], figures: figures.length,
    untitled: figures.filter((f) => !f.querySelector('figcaption small')?.textContent).map(name),
    empty: figures.filter((f) => !f.querySelector('svg.plot')?.childElementCount).map(name),
    invalid: [...document.querySelectorAll('svg *')].filter((e) => [...e.attributes].some((a) => /NaN|inf|–/.test(a.value) && a.name !== 'aria-label')).length,
    scripts: document.scripts.length,
    broken: [...document.querySelectorAll('a[href^="#"]')].filter((a) => !document.getElementById(a.getAttribute('href').slice(1))).length,
  };
})()""".replace("CONTRAST", str(CONTRAST_MIN))


class Browser:
    """Chromium, spoken to in JSON over two pipes."""

    def __init__(self):
        program = next((p for p in ("chromium", "chromium-browser", "google-chrome") if shutil.which(p)), None)
        if program is None:
            sys.exit("browser: there is no chromium; install it (apt-get install chromium)")
        self.profile = tempfile.mkdtemp()
        (to_read, self.to_write), (self.from_read, from_write) = os.pipe(), os.pipe()

        def arrange():
            # Its pipes are the descriptors 3 and 4; copies first, since one may be in the other's place.
            first, second = os.dup(to_read), os.dup(from_write)
            os.dup2(first, 3)
            os.dup2(second, 4)

        arguments = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
            "--disable-dev-shm-usage", f"--user-data-dir={self.profile}", "about:blank",
        ]
        self.process = subprocess.Popen(
            arguments, preexec_fn=arrange, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.buffer, self.number, self.problems = b"", 0, []
        target = self.call("Target.createTarget", {"url": "about:blank"}, None)["targetId"]
        self.session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True}, None)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def read(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.from_read, 1 << 16)
            if not piece:
                sys.exit("browser: it ended")
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def note(self, message):
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown" or method == "Runtime.consoleAPICalled":
            self.problems.append(f"the console says {json.dumps(parameters)[:200]}")
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"the log says {parameters['entry']['text']}")
        elif method == "Network.requestWillBeSent":
            url = parameters["request"]["url"]
            if not url.startswith(("file:", "data:", "about:")):
                self.problems.append(f"it asks for {url}")

    def call(self, method, parameters=None, session=""):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters or {}}
        if session is not None:
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"browser: {method}: {answer['error']['message']}")
                return answer["result"]
            self.note(answer)

    def open(self, page, width, scheme):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", size)
        self.call("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.call("Page.navigate", {"url": "file://" + os.path.abspath(page)})
        while True:
            message = self.read()
            self.note(message)
            if message.get("method") == "Page.loadEventFired":
                return

    def look(self):
        return self.call("Runtime.evaluate", {"expression": LOOK, "returnByValue": True})["result"]["value"]

    def close(self):
        self.process.terminate()
        self.process.wait()
        os.close(self.to_write)
        os.close(self.from_read)
        shutil.rmtree(self.profile, ignore_errors=True)


def problems(seen, verdicts):
    if seen["verdict"] not in verdicts:
        yield f"its verdict is '{seen['verdict']}', not {' or '.join(verdicts)}"
    if seen["overflow"] > 0:
        yield f"it is {seen['overflow']} pixels wider than the screen"
    for name, words in (
        ("outside", "texts outside the screen"), ("faint", "texts of too little contrast"),
        ("small", "texts that are too small"), ("untitled", "charts without units"), ("empty", "charts without a drawing"),
    ):
        if seen[name]:
            yield f"{words}: {seen[name][:5]}"
    if seen["figures"] == 0:
        yield "it has no chart"
    for name, words in (("invalid", "drawings with a number that is none"), ("scripts", "scripts"), ("broken", "links to nowhere")):
        if seen[name]:
            yield f"{seen[name]} {words}"


def check(page, verdicts):
    browser, found = Browser(), []
    try:
        for width in WIDTHS:
            for scheme in SCHEMES:
                browser.problems = []
                browser.open(page, width, scheme)
                seen = browser.look()
                found += [f"{page}, {width} pixels, {scheme}: {p}" for p in [*problems(seen, verdicts), *browser.problems]]
    finally:
        browser.close()
    for problem in found:
        print(problem, file=sys.stderr)
    print(f"{page}: {'wrong' if found else 'as it should be'}, at {len(WIDTHS)} widths, light and dark")
    return 1 if found else 0


def shoot(page, prefix):
    browser = Browser()
    try:
        for width in WIDTHS:
            for scheme in SCHEMES:
                browser.open(page, width, scheme)
                picture = browser.call("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
                size = browser.call("Page.getLayoutMetrics")["cssContentSize"]
                clip = {"x": 0, "y": 0, "width": width, "height": size["height"], "scale": 1}
                picture = browser.call(
                    "Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png", "clip": clip})
                with open(f"{prefix}-{width}-{scheme}.png", "wb") as file:
                    file.write(base64.b64decode(picture["data"]))
        paper = browser.call("Page.printToPDF", {"printBackground": False})
        with open(f"{prefix}.pdf", "wb") as file:
            file.write(base64.b64decode(paper["data"]))
    finally:
        browser.close()
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 3 and sys.argv[1] == "check":
        sys.exit(check(sys.argv[2], sys.argv[3:]))
    if len(sys.argv) == 4 and sys.argv[1] == "shoot":
        sys.exit(shoot(sys.argv[2], sys.argv[3]))
    sys.exit(__doc__)
