"""Checks that imports run one way: no circle of files, and no import from a lower to a higher part.

Usage: check_imports.py [--self-test]

An import is a `use`, or a path in code, that leads to another file of the same crate. A name that is
re-exported counts as imported from the file that defines it. A module and its parent (`x/y.rs` and
`x/mod.rs`) may import each other. Test code, comments and strings do not count.
"""

import shutil
import sys
import tempfile
from collections import defaultdict, deque
from pathlib import Path

from rust_modules import Module

ROOT = Path(__file__).resolve().parent.parent

# The parts of inngest-core, and what each may import.
CLIENT = {"client", "batch", "event"}
PARTS = {
    "event": set(),
    "catalog": {"event"},
    "encryption": {"event"},
    "batch": {"event"},
    "client": {"batch", "event"},
    "publisher": CLIENT,
    "outbox": CLIENT,
    "blocking": CLIENT,
    "testing": CLIENT | {"catalog", "outbox"},
}
# These files only re-export what users and generated code name, so they are no part.
FACADES = {"lib", "private"}
CRATES = {"inngest-core": PARTS, "inngest-derive": None}


class Crate:
    """The files of a crate and the imports between them, as {(importing, defining): names}."""

    def __init__(self, source):
        self.source = source
        self.modules = list(Module(source / "lib.rs").tree())
        self.parents = {module.file: module.parent and module.parent.file for module in self.modules}
        self.imports = defaultdict(set)
        for module in self.modules:
            for other, name in module.imports():
                self.imports[module.file, other.file].add(name)

    def show(self, importing, defining):
        names = ", ".join(sorted(self.imports[importing, defining]))
        return f"{importing.relative_to(self.source)} -> {defining.relative_to(self.source)} ({names})"

    def circles(self):
        """The shortest circle through each import that is part of one."""
        imported = defaultdict(list)
        for importing, defining in sorted(self.imports):
            if importing != self.parents[defining] and defining != self.parents[importing]:
                imported[importing].append(defining)
        circles = set()
        for importing in imported:
            for defining in imported[importing]:
                if way := shortest_way(imported, defining, importing):
                    first = way.index(min(way))
                    circles.add((*way[first:], *way[:first]))
        for circle in sorted(circles, key=lambda circle: (len(circle), circle)):
            edges = zip(circle, [*circle[1:], circle[0]])
            yield "a circle of files:" + "".join(f"\n    {self.show(*edge)}" for edge in edges)

    def part(self, file):
        return file.relative_to(self.source).parts[0].removesuffix(".rs")

    def upward(self, parts):
        """The imports from one of `parts` that it may not make."""
        for importing, defining in sorted(self.imports):
            of, to = self.part(importing), self.part(defining)
            if of != to and not {of, to} & FACADES and to not in parts.get(of, set()):
                yield f"`{of}` may not import `{to}`: {self.show(importing, defining)}"

    def unread(self):
        """What this check does not understand, and so could not judge."""
        for file in sorted({*self.source.rglob("*.rs")} - {*self.parents}):
            # The guide exists in the documentation only, and `tests/` in tests only.
            if file.name not in ("tests.rs", "guide.rs") and file.parent.name != "tests":
                yield f"{file.relative_to(self.source)}: no `mod` leads to this file"
        for module in self.modules:
            for path in module.unresolved():
                yield f"{module.file.relative_to(self.source)}: `{path}` leads to no item"


def shortest_way(imported, start, end):
    """The files from `end` by `start` back to before `end`, or `None` if there is no way."""
    ways = deque([[end, start]])
    seen = {start}
    while ways:
        way = ways.popleft()
        for file in imported.get(way[-1], []):
            if file == end:
                return way
            if file not in seen:
                seen.add(file)
                ways.append([*way, file])
    return None


def check(root):
    """Yields (name, problems, number of files, number of imports) of each crate below `root`."""
    for name, parts in CRATES.items():
        crate = Crate(root / name / "src")
        problems = [*crate.circles(), *(crate.upward(parts) if parts else []), *crate.unread()]
        yield name, problems, len(crate.parents), sum(map(len, crate.imports.values()))


# Files that are added to a copy of inngest-core, whose `event/mod.rs` then declares `mod planted;`, and
# what must be found.
SELF_TESTS = {
    "a circle": (
        {
            "event/planted/mod.rs": "mod a; mod b;",
            "event/planted/a.rs": "use {super::b::{self, B}, std::fmt}; struct A;",
            "event/planted/b.rs": "struct B; fn f() { super::a::A; }",
        },
        ["event/planted/a.rs -> event/planted/b.rs (B)", "event/planted/b.rs -> event/planted/a.rs (A)"],
    ),
    "a circle hidden by re-exports": (
        {
            "event/planted/mod.rs": "mod a; mod b; pub use {std::fmt::{self, Debug}, a::{a}}; pub(crate) use b::*;",
            "event/planted/a.rs": "use crate::event::planted::B; const fn a() {}",
            "event/planted/b.rs": "use super::a as other; struct B(other);",
        },
        ["event/planted/a.rs -> event/planted/b.rs (B)", "event/planted/b.rs -> event/planted/a.rs (a)"],
    ),
    "a circle in a macro and a file for a feature that is off": (
        {
            "event/planted/mod.rs": '#[cfg_attr(not(feature = "x"), path = "no_a.rs")] mod a; mod b;',
            "event/planted/a.rs": "struct A;",
            "event/planted/no_a.rs": "macro_rules! m { () => { $crate::event::planted::b::B } } struct A;",
            "event/planted/b.rs": "use super::a; struct B(a::A);",
        },
        ["event/planted/b.rs -> event/planted/no_a.rs (A)", "event/planted/no_a.rs -> event/planted/b.rs (B)"],
    ),
    "an upward import": (
        {"event/planted.rs": "use crate::Client;"},
        ["`event` may not import `client`: event/planted.rs -> client/mod.rs (Client)"],
    ),
    "a file that no `mod` names": ({"event/planted.rs": "", "event/lost.rs": ""}, ["event/lost.rs"]),
    "a path that leads nowhere": ({"event/planted.rs": "use super::lost;"}, ["`super::lost` leads to no item"]),
    "a name of another crate that the parent binds": (
        {
            "event/planted/mod.rs": "mod a; use ::serde_json as json;",
            "event/planted/a.rs": "use super::json::Value; use super::toml::Value as Other;",
        },
        ["`super::toml::Value` leads to no item"],
    ),
    "test code, comments and strings": (
        {
            "event/planted/mod.rs": "mod a; mod b;",
            "event/planted/a.rs": "use super::b::B; struct A;",
            "event/planted/b.rs": """
                //! use super::a::A;
                /// [`A`](super::a::A)
                struct B<'a>(&'a str);
                const TEXT: &str = "super::a::A";
                #[cfg(test)]
                use super::a::A;
                #[cfg(test)]
                #[allow(unused)]
                mod tests { use super::super::a::A; fn f() { crate::Client; } }
            """,
        },
        [],
    ),
}


def self_test():
    """Checks that each planted mistake is found, and nothing else."""
    before = {problem for _, problems, *_ in check(ROOT) for problem in problems}
    for title, (files, expected) in SELF_TESTS.items():
        with tempfile.TemporaryDirectory() as root:
            for crate in CRATES:
                shutil.copytree(ROOT / crate / "src", Path(root, crate, "src"))
            source = Path(root, "inngest-core", "src")
            with open(source / "event" / "mod.rs", "a") as file:
                file.write("mod planted;")
            for path, text in files.items():
                (source / path).parent.mkdir(exist_ok=True)
                (source / path).write_text(text)
            found = [it for _, problems, *_ in check(Path(root)) for it in problems if it not in before]
        shown = "\n".join(found)
        if len(found) != bool(expected) or not all(text in shown for text in expected):
            sys.exit(f"{title}: expected {expected}, found:\n{shown}")
        print(f"  {title}: {'found' if expected else 'not counted'}")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    failed = False
    for crate, problems, files, imports in check(ROOT):
        for problem in problems:
            print(f"{crate}: {problem}")
        failed |= bool(problems)
        result = f"{len(problems)} problems" if problems else "no circle"
        print(f"{crate}: {files} files, {imports} imports, {result}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
