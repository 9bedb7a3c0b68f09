#!/usr/bin/env python3
"""Checks links, after `cargo doc` has written the documentation.

- The page of every public type, trait and macro of inngest-core links to a chapter of the guide.
- A link of a Markdown file to the published documentation leads to a page and a section that exist.
- A relative link of a Markdown file leads to a file and a heading that exist.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOC = ROOT / "target" / "doc"
PUBLISHED = re.compile(r"https://docs\.rs/inngest-core/latest/(inngest_core[^#)\s]*)(?:#([^)\s]+))?")
LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
ITEM = re.compile(r"(?:^|/)(?:struct|enum|union|trait|macro|derive)\.")


def main():
    problems, items = items_without_a_chapter()
    files = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True)
    links = 0
    for name in files.stdout.split():
        text = CODE.sub("", (ROOT / name).read_text())
        for match in LINK.finditer(text):
            links += 1
            target = match[1] or match[2]
            problem = broken(ROOT / name, target)
            if problem:
                problems.append(f"{name}: {target}: {problem}")
    if problems:
        sys.exit("\n".join(problems))
    print(f"{items} public items link to the guide; {links} links of Markdown files resolve")


def items_without_a_chapter():
    core = DOC / "inngest_core"
    items = [item for item in re.findall(r'<li><a href="([^"]+)">', (core / "all.html").read_text()) if ITEM.search(item)]
    without = []
    for item in items:
        page = (core / item).read_text()
        documentation = re.search(r'<details class="toggle top-doc".*?</details>', page, re.DOTALL)
        if not documentation or "guide/" not in documentation[0]:
            without.append(f"{item}: its documentation links to no chapter of the guide")
    if not items:
        without.append("the documentation lists no items")
    return without, len(items)


def broken(file, target):
    """Returns what is wrong with a link, or `None`. Links to other sites and to items of Rust are not checked."""
    published = PUBLISHED.match(target)
    if published:
        page = DOC / published[1]
        page = page / "index.html" if page.is_dir() else page
        if not page.is_file():
            return "no such page"
        if published[2] and f'id="{published[2]}"' not in page.read_text():
            return "no such section"
        return None
    if re.match(r"[a-z]+:|crate#", target) or "::" in target:
        return None
    path, _, heading = target.partition("#")
    linked = file.parent / path if path else file
    if not linked.exists():
        return "no such file"
    if heading and heading not in map(anchor, re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)):
        return "no such heading"
    return None


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    main()
