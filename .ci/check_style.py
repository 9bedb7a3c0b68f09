"""Checks the size of functions and files, and the words, of the two crates.

The words of comments, documentation and strings, such as error texts, are checked.
"""

import re
import sys
from pathlib import Path

import rust_source

ROOT = Path(__file__).resolve().parent.parent
CRATES = ["inngest-core/src", "inngest-derive/src"]

MAX_FUNCTION_LINES = 60
MAX_LINES = {"inngest-core/src/publisher/queue.rs": 400}
# Lines that are neither blank, nor only a comment, nor test code.
MAX_CODE_LINES = {"inngest-derive/src": 2_000}

AVOIDED = [
    "as long as it lasts",
    "behind",
    "gives back",
    "himself",
    "may pass",
    "nobody's",
    "so many",
    "stands",
    "tells",
    "that of",
    "those of",
    "told",
    "under way",
]
# Where one of them has its literal sense: (file, phrase that contains it), each with its reason in a comment.
LITERAL = [
    # The name of a variant.
    ("inngest-core/src/catalog/lock/mod.rs", "LockError::Behind"),
]

FUNCTION = re.compile(r"\bfn\s+(\w+)")


def phrase(text):
    """A pattern for `text`, in which the words may be on different lines."""
    return re.compile(r"\b%s\b" % r"\s+".join(map(re.escape, text.split())), re.IGNORECASE)


def avoided_words(file, text):
    words = rust_source.prose(text)
    for literal in (literal for literal_file, literal in LITERAL if literal_file == file):
        words, count = phrase(literal).subn(lambda match: rust_source.blank(match[0]), words)
        if count == 0:
            yield 1, f"no `{literal}` here: remove it from LITERAL in {Path(__file__).name}"
    for avoided in AVOIDED:
        for match in phrase(avoided).finditer(words):
            yield rust_source.line(text, match.start()), f"`{avoided}`: write it in plainer words"


def long_functions(code):
    for function in FUNCTION.finditer(code):
        body = code[function.start() : rust_source.item_end(code, function.start())]
        lines = body.count("\n") + 1
        if lines > MAX_FUNCTION_LINES:
            first = rust_source.line(code, function.start())
            yield first, f"`{function[1]}` has {lines} lines, of at most {MAX_FUNCTION_LINES}"


def main():
    problems = []
    for crate in CRATES:
        code_lines = 0
        for path in sorted((ROOT / crate).rglob("*.rs")):
            file, text = str(path.relative_to(ROOT)), path.read_text()
            found = list(avoided_words(file, text))
            lines, most = text.count("\n"), MAX_LINES.get(file)
            if most and lines > most:
                found.append((most + 1, f"the file has {lines} lines, of at most {most}"))
            if path.name != "tests.rs" and path.parent.name != "tests":
                product = rust_source.without_tests(text)
                found += long_functions(rust_source.code(product))
                shown = rust_source.without_comments(product).splitlines()
                code_lines += sum(map(bool, map(str.strip, shown)))
            problems += [f"{file}:{line}: {problem}" for line, problem in sorted(found)]
        print(f"{crate}: {code_lines} lines of code")
        most = MAX_CODE_LINES.get(crate)
        if most and code_lines > most:
            problems.append(f"{crate}/lib.rs:1: the crate has {code_lines} lines of code, of at most {most}")
    for problem in problems:
        print(problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
