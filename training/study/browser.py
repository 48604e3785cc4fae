"""The report as a page for a browser: the Markdown that `page.py` writes, and no more of Markdown than that."""

import html
import re
from collections.abc import Iterator

_STYLE = """
:root { color-scheme: light dark }
body { max-width: 70rem; margin: 0 auto; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif }
h1 { line-height: 1.2 } h2 { margin-top: 2.5rem; border-bottom: 1px solid #8886 }
img { max-width: 100%; height: auto; background: #fff }
code { font-size: .9em; background: #8882; padding: .1em .3em; border-radius: .2em }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .875rem; margin: .5rem 0 }
th, td { border-bottom: 1px solid #8884; padding: .25rem .6rem; text-align: left; vertical-align: top }
th { border-bottom-width: 2px } td { font-variant-numeric: tabular-nums } td:first-child { min-width: 11rem }
li { margin: .6rem 0 }
"""


def as_html(markdown: str) -> str:
    """A whole page; its links lead where those of the Markdown lead."""
    blocks = "\n".join(_blocks(markdown))
    title = markdown.splitlines()[0].lstrip("# ")
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n{blocks}\n</html>\n"
    )


def _blocks(markdown: str) -> Iterator[str]:
    for block in markdown.strip().split("\n\n"):
        lines = block.splitlines()
        if heading := re.match(r"(#+) (.*)", block):
            level = len(heading[1])
            yield f"<h{level}>{_inline(heading[2])}</h{level}>"
        elif block.startswith("|"):
            yield _table(lines)
        elif re.match(r"\d+\. ", block):
            items = (re.sub(r"^\d+\. ", "", line) for line in lines)
            yield "<ol>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ol>"
        else:
            yield f"<p>{_inline(block)}</p>"


def _table(lines: list[str]) -> str:
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    head = "".join(f"<th>{_inline(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _inline(text: str) -> str:
    text = html.escape(text, quote=False)
    for pattern, form in (
        (r"!\[([^]]*)\]\(([^)]*)\)", r'<img src="\2" alt="\1">'),
        (r"\[([^]]*)\]\(([^)]*)\)", r'<a href="\2">\1</a>'),
        (r"\*\*([^*]+)\*\*", r"<strong>\1</strong>"),
        (r"`([^`]+)`", r"<code>\1</code>"),
    ):
        text = re.sub(pattern, form, text)
    return text
