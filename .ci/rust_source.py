"""Reads Rust source as text: which of it is comments and strings, and which is test code."""

import re
from functools import cache

# A lifetime (`'a`) is not the start of a character literal (`'a'`).
NOT_CODE = re.compile(
    r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
  | (?P<string> [bc]?r(?P<hashes>\#*)".*?"(?P=hashes) | [bc]?"(?:\\.|[^"\\])*" )
  | b?'(?: \\(?:u\{[^}]*\}|x..|.) | [^\\'\n] )'
    """,
    re.DOTALL | re.VERBOSE,
)


def blank(text):
    """`text` as spaces, with its line breaks kept, so that offsets and line numbers stay valid."""
    return re.sub(r"[^\n]", " ", text)


@cache
def code(text):
    """`text` with its comments, strings and character literals blanked."""
    return NOT_CODE.sub(lambda match: blank(match[0]), text)


def without_comments(text):
    """`text` with its comments blanked."""
    return NOT_CODE.sub(lambda match: blank(match[0]) if match["comment"] else match[0], text)


def prose(text):
    """The words of `text`'s comments and strings; what is between two of them is no white space."""
    words, end = "", 0
    for match in NOT_CODE.finditer(text):
        marker = re.match(r"//[/!]?|/?", match[0])[0] if match["comment"] else ""
        is_words = match["comment"] or match["string"]
        shown = blank(marker) + match[0][len(marker) :].replace("\\\n", " \n") if is_words else match[0]
        words += re.sub(r"\S", "\0", text[end : match.start()]) + shown
        end = match.end()
    return words + re.sub(r"\S", "\0", text[end:])


def line(text, offset):
    """The line number of `offset`."""
    return text.count("\n", 0, offset) + 1


def closing(code, opening):
    """The offset after the bracket that closes the one at `opening`."""
    depth = 0
    for offset in range(opening, len(code)):
        depth += (code[offset] in "([{") - (code[offset] in ")]}")
        if depth == 0:
            return offset + 1
    raise ValueError(f"line {line(code, opening)}: this bracket is not closed")


def item_end(code, start):
    """The end of the item at `start`, attributes included: its `;`, or the end of its body."""
    while code[start] not in ";{":
        start = closing(code, start) if code[start] in "([" else start + 1
    return start + 1 if code[start] == ";" else closing(code, start)


@cache
def without_tests(text):
    """`text` without what exists in tests or in the documentation only: such items are blanked."""
    masked = code(text)
    for test in re.finditer(r"#\[cfg\((?:all\()?(?:test|doc)\b", masked):
        start, end = test.start(), item_end(masked, test.start())
        text = text[:start] + blank(text[start:end]) + text[end:]
    return text


@cache
def outermost(code):
    """`code` with the contents of its braces blanked."""
    start = 0
    while (start := code.find("{", start)) >= 0:
        end = closing(code, start)
        code = code[: start + 1] + blank(code[start + 1 : end - 1]) + code[end - 1 :]
        start = end
    return code
