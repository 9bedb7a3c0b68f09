"""Runs the example `checkout` or `outbox` and checks what it prints.

Usage: check_example.py COMMAND.., which ends with the name of the example or with the path of its program
"""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMAND = sys.argv[1:]
ULID = "[0-9A-HJKMNP-TV-Z]{26}"
CHECKOUT = "storefront/cart.checkout.completed"


def run(*arguments, **environment):
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
    )


def expect(condition, promise, found=""):
    if not condition:
        sys.exit(f"the example breaks this promise: {promise}\n{found}")
    print(f"  holds: {promise}")


def sections(output):
    """Returns the sections of the output by title, with white space collapsed."""
    parts = (part.split("\n", 1) for part in output.strip().split("\n\n"))
    return {title: " ".join(text.split()) for title, *rest in parts for text in [*rest, ""][:1]}


def check_in_process():
    result = run()
    print(result.stdout)
    expect(result.returncode == 0, "it succeeds without any setup", result.stderr)
    printed = sections(result.stdout)
    functions = "function send-receipt ran once function reserve-stock ran once"

    def section(title, pattern, promise):
        found = printed.get(title, "")
        expect(re.fullmatch(pattern, found), promise, found)

    section("One event", f"sent {CHECKOUT} {ULID} {functions}", "a checkout runs each function once")
    names = ["storefront/customer.joined", "storefront/coupon.redeemed", CHECKOUT]
    sent = " ".join(f"sent {name} {ULID}" for name in names)
    section("A batch of three event types", sent, "one batch sends events of three types")
    section(
        "2,500 events in one call",
        f"sent 2,500 events in [^ ]+ event ids {ULID} to {ULID}",
        "one call sends 2,500 events",
    )
    twice = f"sent {CHECKOUT} {ULID} " * 2
    section(
        "One event sent twice",
        f"dedup id cart-checkout-completed-[0-9a-f]+ {twice}{functions}",
        "a checkout sent twice runs each function once",
    )
    section(
        "Three events that cannot be sent",
        re.escape(
            "an empty value in the dedup id "
            f"`cart_id` of `{CHECKOUT}` is in its dedup id but is blank; events without "
            "a value would share one id, and all but the first would be dropped "
            "an integer beyond 2^53 `data.number` of `storefront/customer.joined` is 616581622363398142, "
            "beyond ±(2^53 - 1), and Inngest would round it; send it as a string: "
            '`#[serde(with = "inngest_core::as_string")]` '
            f"an unknown event key sending `{CHECKOUT}` failed: the event key is refused (401): Event key "
            "not found"
        ),
        "three events that cannot be sent are reported",
    )
    section(
        "Stored event types and versions",
        f"stored {CHECKOUT} 2026-11-01.1 4 stored storefront/coupon.redeemed 1 "
        "stored storefront/customer.joined 1 stored storefront/item.imported 2026-09-15.2 2,500",
        "four event types are stored, with their versions",
    )


class Server(BaseHTTPRequestHandler):
    """Accepts every event, and counts events by the key of their request."""

    counts = {}

    def do_POST(self):
        events = json.loads(self.rfile.read(int(self.headers["content-length"])))
        count = len(events) if isinstance(events, list) else 1
        key = self.path.removeprefix("/e/")
        self.counts[key] = self.counts.get(key, 0) + count
        body = json.dumps({"ids": [f"01K{index:023}" for index in range(count)], "status": 200}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def check_other_servers():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"

    result = run(INNGEST_DEV=url)
    expect(result.returncode == 0, "it sends to the server of INNGEST_DEV", result.stderr)
    with_unknown_key = Server.counts.pop("an-expired-key")
    counts = (Server.counts, with_unknown_key)
    expect(counts == ({"NO_EVENT_KEY_SET": 2_506}, 1), "it sends all of its 2,506 events", counts)
    expect(f"see {url}/runs" in result.stdout, "it prints where to see the runs", result.stdout)

    Server.counts.clear()
    result = run("--", "--live", INNGEST_BASE_URL=url, INNGEST_EVENT_KEY="a-key")
    expect(result.returncode == 0, "with --live it sends with the key of the environment", result.stderr)
    expect(Server.counts["a-key"] < 10, "with --live it sends fewer than ten events", Server.counts)
    dashboard = "https://app.inngest.com"
    expect(dashboard in result.stdout, "with --live it prints where to see the events", result.stdout)
    server.shutdown()
    server.server_close()

    result = run(INNGEST_DEV=url)
    expect(result.returncode == 1, "without a server at INNGEST_DEV it fails", result.stdout)
    error = result.stderr[result.stderr.find("Error: ") :]
    print(error)
    expect(
        f"Error: cannot send to the Dev Server of INNGEST_DEV={url}" in error,
        "its error names the server",
        error,
    )
    advice = "inngest-cli@latest dev" in error and "panicked" not in error
    expect(advice, "its error gives advice", error)


def check_outbox():
    result = run()
    print(result.stdout)
    expect(result.returncode == 0, "it succeeds without any setup", result.stderr)
    database = "PostgreSQL" if "DATABASE_URL" in os.environ else "SQLite"
    relays = 3 if database == "PostgreSQL" else 1
    printed = sections(result.stdout)

    def section(title, pattern, promise):
        found = printed.get(title, "")
        expect(re.fullmatch(pattern, found), promise, found)

    expect(f"A shop with an outbox in {database}" in printed, f"it runs on {database}", [*printed])
    section(
        "Each order and its event in one transaction",
        "committed 300 orders, and with each its event rolled back 1 order, number 301, and with it its event "
        "in the outbox 300 events: no relay runs yet",
        "the event of a rolled-back order is not in the outbox",
    )
    section(
        "A relay is killed while it sends",
        r"started relay (\d+) killed relay \1 by SIGKILL Inngest has 180 events, and the relay did not learn of "
        rf"80 of them( started relay \d+){{{relays}}} Inngest has the events of all 300 orders; the 80 were sent "
        "again with the same ids",
        "a killed relay loses nothing",
    )
    section(
        "Inngest is down",
        "committed 100 orders Inngest has responded to 3 requests with 503 in the outbox 100 events "
        "Inngest has the events of all 400 orders, once it is back",
        "an outage loses nothing",
    )
    closed = re.findall(r"closed relay \d+: (\d+) events delivered, 0 left", printed["The relays are closed"])
    # Of the 300 and 100 events, the killed relay had delivered 100.
    delivered = sum(map(int, closed))
    expect((len(closed), delivered) == (relays, 300), f"closed relays report, {relays} in number", closed)
    others = re.search(r"2 orders with bad events, and (\d+) others", result.stdout)
    orders = 402 + int(others[1])
    section(
        "Two bad events, and a relay in the shop's own process",
        rf"committed 2 orders with bad events, and {others[1]} others dead 1 event, which Inngest rejected: "
        r".*there is nothing to pay isolated 1 event, to which Inngest responds with 500: it is retried alone "
        "Inngest has the events of all other orders Inngest accepts both from now on requeued 1 dead event "
        rf"closed the relay: {orders - 400} events delivered, 0 left",
        "two bad events do not stop the others, and are sent in the end",
    )
    section(
        "The account",
        rf"orders {orders} in the database events {orders} in Inngest, each of one order "
        rf"sent twice \d+, with the ids that Inngest knew already functions ran {orders} times, once for each "
        "event in the outbox 0 events missing nothing",
        "nothing is missing",
    )


def check_checkout():
    check_in_process()
    check_other_servers()


{"checkout": check_checkout, "outbox": check_outbox}[os.path.basename(COMMAND[-1])]()
