#!/usr/bin/env python3
"""Promise: `agon report` writes one page that holds everything: it parses, fetches nothing, runs no script, names what
is not defined, and opens in a browser without an error on its console (skipped without Chromium)."""
import html.parser
import json
import os
import re
import shutil
import subprocess
import tempfile

AGON = os.environ["AGON"]
VOID = {"meta", "link", "img", "br"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.text, self.pictures = [], [], []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href"):
                assert value.startswith("data:"), (tag, value[:80])
        assert tag not in ("script", "iframe", "object", "embed"), tag
        if tag == "img":
            self.pictures.append(dict(attributes)["alt"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text.append(data)


def run(*words, code=0):
    r = subprocess.run([AGON, *words], capture_output=True, text=True)
    assert r.returncode == code, (words, r.returncode, r.stderr)
    return r.stdout + r.stderr


def read(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    page = Page()
    page.feed(text)
    assert not page.open, page.open
    assert "http" not in re.sub(r"data:[^\"]*", "", text).replace("http-equiv", "")
    return page, " ".join(page.text)


def look_with_browser(path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not browser:
        return "skipped: the page in a browser, no Chromium here"
    r = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                        "--v=0", "--dump-dom", f"file://{path}"], capture_output=True, text=True, timeout=120)
    assert "</html>" in r.stdout and "<h2>Pictures</h2>" in r.stdout
    said = [line for line in r.stderr.splitlines() if "CONSOLE" in line]
    assert not said, said
    return "the browser's console is empty"


with tempfile.TemporaryDirectory() as folder:
    where = f"{folder}/a <b>&'c'"  # a name that would break a careless page
    run("train", "tic_tac_toe", "population.size=3", "train.generations=2", "train.rollouts=2", "train.lanes=8",
        "train.horizon=8", "net.hidden=8", "metrics.every=1", "metrics.games=8", "metrics.anchor_games=8",
        "metrics.final_games=0", "metrics.probes=32", f"run.dir={where}", "--quiet")
    run("probes", "make", "tic_tac_toe", "--states", "40", "-o", f"{folder}/sets.safetensors")
    run("report", where, "--quiet")
    page, text = read(f"{where}/report.html")
    assert {"diversity", "strength", "payoff", "map", "symmetry"} <= set(page.pictures), page.pictures
    assert "a <b>&'c'" in text and "Not defined here" in text and "Agreement of errors" in text
    run("report", where, "--probes", f"{folder}/sets.safetensors", "-o", f"{folder}/page.html")
    page, text = read(f"{folder}/page.html")
    assert "errors" in page.pictures and "set X" in text
    with open(f"{where}/metrics.jsonl") as f:
        last = [json.loads(line) for line in f][-1]
    assert f"{last['diversity']['vendi_1']:.4g} of 3" in text
    print(look_with_browser(f"{folder}/page.html"))
    said = run("report", f"{folder}/nothing", code=1)
    assert f"{folder}/nothing" in said
    run("report", code=2)
print(f"{len(page.pictures)} pictures")
