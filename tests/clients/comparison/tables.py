"""The tables of the comparison, from what the clients did."""

import re

HEADINGS = {
    "ours": "this crate",
    "official": "official crate",
    "npm": "npm",
    "PyPI": "PyPI",
}


def comparison(versions, observed, mistakes, key):
    rows = [
        ("an event of the wrong type", lambda name, seen: wrong_type(name, seen, mistakes)),
        ("a reserved event name", lambda name, seen: reserved_name(name, seen, mistakes)),
        ("time, version, user, sessions", lambda name, seen: fields(name, seen["fields"], mistakes)),
        ("an integer beyond 2^53", lambda name, seen: large_integer(seen)),
        ("two events with one dedup id", lambda name, seen: runs(seen["dedup id"])),
        ("a call returns", lambda name, seen: returned(seen["1,000 events"])),
        ("1,000 events in a call", lambda name, seen: many(seen["1,000 events"])),
        ("6,000 events in a call", lambda name, seen: many(seen["6,000 events"])),
        ("10,000 events in a call", lambda name, seen: many(seen["10,000 events"])),
        ("of 5 events, Inngest rejects the third", lambda name, seen: refused_event(seen["a refused event"])),
        ("503 twice, then 200", lambda name, seen: retried(seen["503 twice"])),
        ("503 without end", lambda name, seen: many(seen["503"])),
        ("503 for 5 s", lambda name, seen: outage(seen["outage"])),
        ("429 with `Retry-After: 2`", lambda name, seen: retry_after(seen["429"])),
        ("the events are accepted, the response is lost", lambda name, seen: retried(seen["lost response"])),
        ("401, the key is unknown", lambda name, seen: with_text(seen["401"])),
        ("200 with an HTML page: a wrong URL", lambda name, seen: with_text(seen["html"])),
        ("200 with an id too few", lambda name, seen: many(seen["an id too few"])),
        ("no server at the URL", lambda name, seen: text(seen["no server"])),
        ("the key in the texts of errors", lambda name, seen: leaks(seen, key)),
        ("the key in the printed client", lambda name, seen: printed(seen["print"], key)),
    ]
    cells = [(label, {name: cell(name, seen) for name, seen in observed.items()}) for label, cell in rows]
    return markdown(versions, "", cells)


def variables(versions, names, received):
    rows = []
    for variable in names:
        cells = {name: effect(variable, seen[variable]) for name, seen in received.items()}
        rows.append((f"`{variable}`", cells))
    return markdown(versions, "variable", rows)


# The cell of a variable that could not be tried, because the port of the Dev Server is in use.
UNTRIED = "untried"


def keep_untried(table, old):
    """Returns `table` with the rows of `old` in the place of rows that could not be tried."""
    rows = {row.split("|")[1]: row for row in old.splitlines() if row.startswith("| ")}
    lines = [rows.get(line.split("|")[1], line) if UNTRIED in line else line for line in table.splitlines()]
    return "\n".join(lines) + "\n"


def markdown(versions, corner, rows):
    heading = [corner, *(f"{HEADINGS[name]} {version}" for name, version in versions.items())]
    lines = [heading, ["---"] * len(heading), *([label, *(cells[name] for name in versions)] for label, cells in rows)]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |").replace(" --- ", "---") for line in lines) + "\n"


def requests(seen):
    count = len(seen["requests"])
    return "no request" if count == 0 else "1 request" if count == 1 else f"{count} requests"


def accepted(seen):
    """Returns how many events the server accepted. A retried event that keeps its id counts once."""
    return len({event["id"] for event in seen["events"]})


def many(seen):
    """Returns what the caller learned, and what happened."""
    count, sent = accepted(seen), seen["sent"]
    if "error" not in seen and count == sent:
        return f"{requests(seen)}, all accepted" if sent > 1 else f"{requests(seen)}, accepted"
    if "error" not in seen:
        lost = "the event is lost" if sent == 1 else f"{sent - count:,} are lost"
        return f"{requests(seen)}, success, but {lost}"
    return f"{requests(seen)}, an error" + (f"; {count:,} were accepted" if count else "")


def with_text(seen):
    return f"{requests(seen)}, {text(seen)}" if "error" in seen else many(seen)


def text(seen):
    # The number differs between operating systems. Two backticks, since texts contain single ones.
    return f"`` {re.sub(r' .os error [0-9]+.', '', seen['error'])} ``"


def returned(seen):
    ids = [event["id"] for event in seen["events"]]
    return "the ids of the events, in order" if seen.get("ids") == ids else "nothing"


def runs(seen):
    return "one run" if seen["runs"] == 1 else f"{seen['runs']} runs"


def retried(seen):
    if len(seen["requests"]) == 1:
        return many(seen)
    times = "once" if seen["runs"] == seen["sent"] else f"{seen['runs'] / seen['sent']:g} times"
    return f"retried, functions run {times}" if "error" not in seen else many(seen)


def refused_event(seen):
    others = "all" if accepted(seen) == 4 else accepted(seen)
    told = "success"
    if "error" in seen:
        parts = ["the ids of the accepted"] if seen.get("accepted") else []
        parts += ["the index of the rejected"] if seen.get("rejected") == [2] else []
        told = f"an error with {' and '.join(parts)}" if parts else "an error with the server's message"
    return f"{requests(seen)}, {others} of the 4 others accepted; {told}"


def outage(seen):
    if "error" not in seen and accepted(seen) == 1:
        return "accepted"
    return "an error" if "error" in seen else "success, but the event is lost"


def retry_after(seen):
    if len(seen["requests"]) == 1:
        return many(seen)
    waited = seen["requests"][1]["millis"] >= 2_000
    return f"retried {'after that time' if waited else 'sooner'}, {'accepted' if accepted(seen) else 'an error'}"


def large_integer(seen):
    cells = [integer(seen["large integer"])]
    if "large BigInt" in seen:
        cells = [f"{cells[0]}; as `BigInt`: {integer(seen['large BigInt'])}"]
    return cells[0]


def integer(seen):
    if not seen["requests"]:
        return "an error, not sent"
    number = seen["events"][0]["data"].get("number")
    if number is None:
        return "sent without the field"
    return "exact" if number == 2**53 + 1 else "sent, and rounded"


def fields(name, seen, mistakes):
    event = seen["events"][0]
    arrived = [
        ("time", event["ts"] == 1_700_000_000_000),
        ("version", event["version"] == "2"),
        ("user", event["user"] == {"id": "u1"}),
        ("sessions", event["sessions"] == {"chat": "c1"}),
    ]
    texts = [field for field, is_there in arrived if is_there]
    if name == "npm" and "user.ts" in mistakes:
        texts = ["user (not in its types)" if field == "user" else field for field in texts]
    return ", ".join(texts)


def wrong_type(name, seen, mistakes):
    file = {"ours": "ours_payload.rs", "official": "official_payload.rs", "npm": "payload.ts"}.get(name)
    if file in mistakes:
        text = "does not compile" if name != "npm" else "does not compile, if the event has a type"
    else:
        text = many(seen["wrong type"])
    if name == "npm" and not seen["wrong type, with a schema"]["requests"]:
        text += "; with a schema, an error when it is sent"
    return text


def reserved_name(name, seen, mistakes):
    file = {"ours": "ours_name.rs", "official": "official_name.rs", "npm": "name.ts"}.get(name)
    return "does not compile" if file in mistakes else many(seen["reserved name"])


def leaks(seen, key):
    texts = {name: happened.get("error", "") + happened.get("debug", "") for name, happened in seen.items()}
    failed = [name for name, text in texts.items() if key in text]
    return f"yes: {', '.join(failed)}" if failed else "no"


def printed(seen, key):
    if seen["printed"] is None:
        return "cannot be printed"
    return "yes" if key in seen["printed"] else "no"


def effect(variable, requests):
    """Returns how a client used a variable, from the requests that the server received."""
    if requests is None:
        return UNTRIED
    if not requests:
        return "not used"
    request = requests[0]
    if variable.startswith("INNGEST_ENV"):
        return "the environment" if request["env"] == "branch" else "not used"
    if variable.startswith("INNGEST_EVENT_KEY"):
        return "the key" if request["path"].endswith("/e/secret-key-4711") else "not used"
    if variable == "INNGEST_DEV=1":
        return "`127.0.0.1:8288`, without a key"
    if variable.startswith("INNGEST_DEV"):
        return "the URL, without a key"
    return "the URL"
