"""Opens the site of `make docs` in headless Chromium, from its files and without a network:

    python3 tools/site/screenshots.py target/site target/site-screenshots

Takes a picture of each page at 400 and 1,280 pixels, some also in dark. Fails if a page asks another host, has
an error, is wider than the window or lacks a picture, or if the search does not find the page of an error by
its text.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTHS = 400, 1280
SEARCHES = [
    ("index.html", "PAM authentication failed", "errors/pam-authentication-failed.html"),
    ("errors/index.html", "fe_sendauth", "errors/no-password-supplied.html"),
    ("python.html", "does not match host name", "errors/certificate-of-another-name.html"),
    ("ja/index.html", "certificate verify failed", "ja/errors/certificate-verify-failed.html"),
    ("ja/index.html", "認証情報の期限切れ", "ja/errors/expired-credentials.html"),
]


def open_page(browser, site, name, problems, **options):
    page = browser.new_page(**options)
    page.on("request", lambda request: wrong_host(request.url, name, problems))
    page.on("pageerror", lambda error: problems.append(f"{name}: {error}"))
    page.goto((site / name).as_uri())
    return page


def wrong_host(url, name, problems):
    if not url.startswith(("file:", "data:", "blob:", "about:")):
        problems.append(f"{name}: asks another host: {url}")


def take(browser, site, name, width, scheme, folder, problems):
    viewport = {"width": width, "height": 900}
    page = open_page(browser, site, name, problems, viewport=viewport, color_scheme=scheme)
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        problems.append(f"{name}: {wide} pixels wide in a window of {width}")
    if not page.locator("article h1").first.is_visible():
        problems.append(f"{name}: no heading is visible")
    lost = page.evaluate("[...document.images].filter((i) => !i.naturalWidth).map((i) => i.src)")
    problems += [f"{name}: no picture {image}" for image in lost]
    target = folder / f"{name.removesuffix('.html').replace('/', '-')}-{width}-{scheme}.png"
    page.screenshot(path=target, full_page=True)
    page.close()


def find(browser, site, name, text, expected, folder, problems):
    page = open_page(browser, site, name, problems, viewport={"width": 1280, "height": 900})
    page.locator("label.md-search__icon, .md-search__input").first.click()
    page.locator(".md-search__input").fill(text)
    results = page.locator(".md-search-result__link")
    try:
        results.first.wait_for(timeout=30_000)
        found = [link.split("#")[0].split("?")[0] for link in results.evaluate_all("all => all.map((a) => a.href)")]
    except Exception as error:
        found = [str(error).splitlines()[0]]
    page.screenshot(path=folder / f"search-{expected.removesuffix('.html').replace('/', '-')}.png")
    if (site / expected).as_uri() not in found[:10]:
        problems.append(f"{name}: the search for {text!r} does not find {expected}: {found[:5]}")
    page.close()


def main(site, folder):
    site, folder = Path(site).resolve(), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pages = sorted(str(file.relative_to(site)) for file in site.rglob("*.html"))
    pages = [name for name in pages if name != "404.html" and "repository/" not in name]
    problems = []
    with sync_playwright() as playwright:
        # Chromium does not run as root in its sandbox. It opens only these files.
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name in pages:
            for width in WIDTHS:
                take(browser, site, name, width, "light", folder, problems)
        for name in ("index.html", "how-it-works.html"):
            take(browser, site, name, 1280, "dark", folder, problems)
        for name, text, expected in SEARCHES:
            find(browser, site, name, text, expected, folder, problems)
        browser.close()
    print(f"{len(pages)} pages at {WIDTHS} pixels, {len(SEARCHES)} searches; pictures in {folder}")
    for problem in problems:
        print(problem, file=sys.stderr)
    return bool(problems) or len(pages) < 40


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
