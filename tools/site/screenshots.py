"""Opens the site of `make docs` in headless Chromium, from its files and without a network:

    python3 tools/site/screenshots.py target/site target/site-screenshots

Opens each page at 400 and 1,280 pixels, and takes pictures of those that differ most. Fails if a page asks
another host, has an error, is wider than the window or lacks a picture, if the search does not find the page of an
error by its text, or if a reference that is a site of its own does not open.
"""

import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDTHS = 400, 1280
PATIENCE = 120  # seconds for a page, or for the first result of a search, on a busy machine
PICTURES = ["index", "how-it-works", "errors/index", "errors/pam-authentication-failed", "performance"]
PICTURES += ["ja/index", "ja/how-it-works", "ja/errors/pam-authentication-failed"]
SEARCHES = [
    ("index.html", "PAM authentication failed", "errors/pam-authentication-failed.html"),
    ("errors/index.html", "fe_sendauth", "errors/no-password-supplied.html"),
    ("python.html", "does not match host name", "errors/certificate-of-another-name.html"),
    ("index.html", "generate_db_auth_token", "api/python.html"),
    ("ja/index.html", "certificate verify failed", "ja/errors/certificate-verify-failed.html"),
]
# Each links to a site that another program wrote.
REFERENCES = ["api/java.html", "api/rust.html", "ja/api/java.html", "ja/api/rust.html"]


def new_page(browser, problems, **options):
    """A page that notes requests to other hosts and errors of scripts."""
    page = browser.new_page(**options)
    page.set_default_timeout(PATIENCE * 1000)
    page.on("request", lambda request: note_request(page, request, problems))
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    return page


def note_request(page, request, problems):
    if not request.url.startswith(("file:", "data:", "blob:", "about:")):
        problems.append(f"{page.url}: asks another host: {request.url}")


def check(page, site, name, width, problems):
    page.goto((site / name).as_uri())
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        problems.append(f"{name}: {wide} pixels wide in a window of {width}")
    if not page.locator("article h1").first.is_visible():
        problems.append(f"{name}: no heading is visible")
    lost = page.evaluate("[...document.images].filter((i) => !i.naturalWidth).map((i) => i.src)")
    problems += [f"{name}: no picture {image}" for image in lost]


def picture(folder, name, *how):
    return folder / ("-".join([name.removesuffix(".html").replace("/", "-"), *map(str, how)]) + ".png")


def find(browser, site, name, text, expected, folder, problems):
    page = new_page(browser, problems, viewport={"width": 1280, "height": 900})
    page.goto((site / name).as_uri())
    field, results = page.locator(".md-search__input"), page.locator(".md-search-result__link")
    field.click()
    end = time.monotonic() + PATIENCE
    while not results.count() and time.monotonic() < end:
        # What is typed before the index is loaded is lost.
        field.fill("")
        field.press_sequentially(text)
        page.wait_for_timeout(1000)
    found = results.evaluate_all("links => links.map((link) => link.href.split(/[?#]/)[0])")
    page.screenshot(path=picture(folder, expected, "search"))
    if (site / expected).as_uri() not in found[:10]:
        problems.append(f"{name}: the search for {text!r} does not find {expected}: {found[:5]}")
    page.close()


def follow(page, site, name, problems):
    """Opens the reference that a page links to."""
    page.goto((site / name).as_uri())
    page.locator("article a", has_text="The reference").click()
    page.wait_for_load_state()
    if not (page.url.endswith("index.html") and page.locator("h1").first.is_visible()):
        problems.append(f"{name}: its reference does not open: {page.url}")


def main(site, folder):
    site, folder = Path(site).resolve(), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pages = sorted(str(file.relative_to(site)) for file in site.rglob("*.html"))
    # In ja/, pages that are not translated are the English ones.
    translated = {str(file.relative_to(DOCS)).replace(".ja.md", ".html") for file in DOCS.rglob("*.ja.md")}
    pages = [name for name in pages if not name.startswith("ja/") or name.removeprefix("ja/") in translated]
    others = "404.html", "repository/", "api/java/", "api/rust/"
    pages = [name for name in pages if not name.startswith(others)]
    problems = []
    with sync_playwright() as playwright:
        # Chromium does not run as root in its sandbox. It opens only these files.
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for width in WIDTHS:
            page = new_page(browser, problems, viewport={"width": width, "height": 900})
            for name in pages:
                check(page, site, name, width, problems)
                if name.removesuffix(".html") in PICTURES:
                    page.screenshot(path=picture(folder, name, width), full_page=True)
            page.close()
        dark = new_page(browser, problems, viewport={"width": 1280, "height": 900}, color_scheme="dark")
        check(dark, site, "how-it-works.html", 1280, problems)
        dark.screenshot(path=picture(folder, "how-it-works", "dark"), full_page=True)
        for name in REFERENCES:
            follow(dark, site, name, problems)
        for name, text, expected in SEARCHES:
            find(browser, site, name, text, expected, folder, problems)
        browser.close()
    print(f"{len(pages)} pages at {WIDTHS} pixels, {len(SEARCHES)} searches; pictures in {folder}")
    for problem in problems:
        print(problem, file=sys.stderr)
    return bool(problems) or len(pages) < 40


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
