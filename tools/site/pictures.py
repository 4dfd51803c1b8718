"""Draws the pictures of docs/pictures/, in English, and in Japanese for pages that are in Japanese:

    python3 tools/site/pictures.py

A test compares the files with what this draws. Each picture has a background of its own, so that it can be
read on light and dark pages.
"""

from html import escape
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs/pictures"
INK, GREY, BLUE, GREEN, RED, LIGHT = "#1f2933", "#616e7c", "#3f51b5", "#2e7d32", "#c62828", "#eef1f6"

# In each language, the texts of each picture, in the order in which they are drawn.
TEXTS = {
    "token": {
        "": [
            "credentials\nAWS access key, role, SSO",
            "your program\nwith rdsign",
            "RDS\nPostgreSQL",
            "IAM\npolicies",
            "keys, once an hour",
            "signs: no network",
            "token as password, over TLS",
            "may the owner connect?",
            "yes",
            "logged in",
            "is the user in rds_iam?",
        ],
        "ja": [
            "認証情報\nアクセスキー、ロール、SSO",
            "プログラム\n＋ rdsign",
            "RDS\nPostgreSQL",
            "IAM\nポリシー",
            "キー（1 時間に 1 回程度）",
            "署名（通信なし）",
            "TLS でトークンをパスワードとして送信",
            "接続してよいか",
            "許可",
            "ログイン成功",
            "ユーザーは rds_iam のメンバーか",
        ],
    },
    "pool": {
        "": [
            "one token for the whole pool",
            "a token for each connection",
            "0 min",
            "15 min",
            "30 min",
            "the token is valid",
            "open connections go on",
            "new connection: refused",
            "new connection: works",
        ],
        "ja": [
            "プール全体で 1 つのトークン",
            "接続ごとに新しいトークン",
            "0 分",
            "15 分",
            "30 分",
            "トークンの有効期間",
            "開いている接続は続く",
            "新しい接続：拒否される",
            "新しい接続：成功する",
        ],
    },
    "dial": {
        "": [
            "your program",
            "tunnel\n127.0.0.1:15432",
            "endpoint of RDS\nmydb.abc123…:5432",
            "dials",
            "forwards",
            "signs the token for this name, and TLS verifies this name",
        ],
        "ja": [
            "プログラム",
            "トンネル\n127.0.0.1:15432",
            "RDS のエンドポイント\nmydb.abc123…:5432",
            "接続先",
            "転送",
            "トークンの署名も TLS の検証もこの名前で行う",
        ],
    },
    "proxy": {
        "": [
            "your machine, container or pod",
            "your program\nRails, PHP, Metabase",
            "rdsign proxy\n127.0.0.1:6543",
            "RDS\nPostgreSQL",
            "no TLS, no password",
            "verified TLS",
            "login",
            "login with a new token",
            "data",
            "the same data",
        ],
    },
}


def text(x, y, words, color=INK, anchor="middle", size=14, weight="normal"):
    first, *others = words.split("\n")
    lines = f'<tspan x="{x}">{escape(first)}</tspan>'
    for line in others:
        lines += f'<tspan x="{x}" dy="19" fill="{GREY}" font-size="12">{escape(line)}</tspan>'
    return (
        f'<text x="{x}" y="{y}" fill="{color}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}">{lines}</text>'
    )


def box(x, y, width, height, words, color=BLUE):
    lines = words.count("\n")
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="white" stroke="{color}" '
        f'stroke-width="2"/>' + text(x + width / 2, y + height / 2 + 5 - 9.5 * lines, words, weight="bold")
    )


def arrow(x1, y1, x2, y2, color=INK, dashed=False):
    dashes = ' stroke-dasharray="6 4"' if dashed else ""
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{color}" stroke-width="2"{dashes} '
        f'marker-end="url(#{color[1:]})"/>'
    )


def token(words):
    keys, program, server, iam, fetch, sign, send, ask, yes, done, member = words
    middles = [110, 350, 610, 830]
    for x, name in zip(middles, [keys, program, server, iam]):
        yield box(x - 95, 20, 190, 56, name)
        yield f'<line x1="{x}" y1="76" x2="{x}" y2="330" stroke="{GREY}" stroke-dasharray="2 5"/>'
    a, b, c, d = middles
    yield arrow(a, 112, b - 4, 112) + text((a + b) / 2, 104, fetch, GREY, size=12)
    yield box(b - 80, 132, 160, 34, sign, GREEN)
    yield arrow(b, 196, c - 4, 196) + text((b + c) / 2, 188, send, size=12)
    yield box(c - 125, 214, 250, 34, member, GREEN)
    yield arrow(c, 272, d - 4, 272) + text((c + d) / 2, 264, ask, size=12)
    yield arrow(d, 298, c + 4, 298, GREEN) + text((c + d) / 2, 291, yes, GREEN, size=12)
    yield arrow(c, 322, b + 4, 322, GREEN) + text((b + c) / 2, 314, done, GREEN, size=12)


def pool(words):
    one, each, start, quarter, half, valid, go_on, refused, works = words
    zero, fifteen, thirty = 60, 420, 780
    for x, name in [(zero, start), (fifteen, quarter), (thirty, half)]:
        yield f'<line x1="{x}" y1="34" x2="{x}" y2="352" stroke="{GREY}" stroke-dasharray="2 5"/>'
        yield text(x, 26, name, GREY, size=12)

    def bar(x, y, width, words, color):
        yield f'<rect x="{x}" y="{y}" width="{width}" height="26" rx="5" fill="{color}"/>'
        yield text(x + width / 2, y + 18, words, "white", size=12)

    yield text(zero + 8, 62, one, anchor="start", weight="bold")
    yield from bar(zero, 74, fifteen - zero, valid, BLUE)
    yield from bar(zero + 30, 106, thirty - zero - 30, go_on, GREEN)
    yield from bar(fifteen + 120, 138, 240, refused, RED)
    yield text(zero + 8, 212, each, anchor="start", weight="bold")
    yield from bar(zero + 30, 224, fifteen - zero, valid, BLUE)
    yield from bar(zero + 30, 256, thirty - zero - 30, go_on, GREEN)
    yield from bar(fifteen + 120, 288, 240, valid, BLUE)
    yield from bar(fifteen + 120, 320, 240, works, GREEN)


def dial(words):
    program, tunnel, endpoint, dials, forwards, signs = words
    yield box(20, 40, 190, 60, program)
    yield box(340, 40, 200, 60, tunnel, GREY)
    yield box(670, 40, 220, 60, endpoint)
    yield arrow(210, 70, 334, 70) + text(272, 60, dials, size=12)
    yield arrow(540, 70, 664, 70) + text(602, 60, forwards, size=12)
    yield f'<path d="M115 100 V160 H780 V108" fill="none" stroke="{GREEN}" stroke-width="2" stroke-dasharray="6 4" '
    yield f'marker-end="url(#{GREEN[1:]})"/>' + text(447, 184, signs, GREEN, size=13)


def proxy(words):
    machine, program, local, server, plain, tls, login, token, data, same = words
    yield f'<rect x="15" y="14" width="585" height="206" rx="8" fill="none" stroke="{GREY}" stroke-dasharray="2 5"/>'
    yield text(30, 36, machine, GREY, anchor="start", size=12)
    a, b, c = 135, 490, 820
    for x, name, color in [(a, program, BLUE), (b, local, GREEN), (c, server, BLUE)]:
        yield box(x - 105, 48, 210, 56, name, color)
        yield f'<line x1="{x}" y1="104" x2="{x}" y2="208" stroke="{GREY}" stroke-dasharray="2 5"/>'
    yield text((a + b) / 2, 124, plain, GREY, size=12) + text((b + c) / 2, 124, tls, GREY, size=12)
    yield arrow(a, 156, b - 4, 156) + text((a + b) / 2, 148, login, size=12)
    yield arrow(b, 156, c - 4, 156, GREEN) + text((b + c) / 2, 148, token, GREEN, size=12)
    for left, right, name in [(a, b, data), (b, c, same)]:
        yield (
            f'<line x1="{left + 4}" y1="190" x2="{right - 4}" y2="190" stroke="{INK}" stroke-width="2" '
            f'marker-start="url(#{INK[1:]})" marker-end="url(#{INK[1:]})"/>'
        ) + text((left + right) / 2, 182, name, size=12)


def markers():
    for color in (INK, GREEN):
        yield (
            f'<marker id="{color[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="{color}"/></marker>'
        )


SIZES = {"token": (940, 350), "pool": (840, 370), "dial": (910, 205), "proxy": (940, 234)}


def drawn():
    """Returns each picture, by the name of its file."""
    pictures = {}
    for name, languages in TEXTS.items():
        width, height = SIZES[name]
        for language, words in languages.items():
            shapes = "\n".join(globals()[name](words))
            pictures[f"{name}{language and f'.{language}'}.svg"] = (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                f'font-family="system-ui, sans-serif">\n<defs>{"".join(markers())}</defs>\n'
                f'<rect width="{width}" height="{height}" rx="12" fill="{LIGHT}"/>\n{shapes}\n</svg>\n'
            )
    return pictures


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, picture in drawn().items():
        (FOLDER / name).write_text(picture)
