"""Runs the README's example as a newcomer does, and checks what it prints.

Usage: check_example.py COMMAND..
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


def expect(truth, promise, found=""):
    if not truth:
        sys.exit(f"the example does not hold this: {promise}\n{found}")
    print(f"  holds: {promise}")


def sections(output):
    """The parts of the account by their titles, white space made single."""
    parts = (part.split("\n", 1) for part in output.strip().split("\n\n"))
    return {title: " ".join(text.split()) for title, *rest in parts for text in [*rest, ""][:1]}


def in_process():
    ran = run()
    print(ran.stdout)
    expect(ran.returncode == 0, "it succeeds with nothing set up", ran.stderr)
    account = sections(ran.stdout)
    functions = "function send-receipt ran once function reserve-stock ran once"

    def section(title, pattern, promise):
        found = account.get(title, "")
        expect(re.fullmatch(pattern, found), promise, found)

    section("One checkout", f"sent {CHECKOUT} {ULID} {functions}", "each function ran for a checkout")
    names = ["storefront/customer.joined", "storefront/coupon.redeemed", CHECKOUT]
    sent = " ".join(f"sent {name} {ULID}" for name in names)
    section("A mixed batch of three", sent, "three types go in one batch")
    section(
        "2,500 imported items in one call",
        f"sent 2,500 events in [^ ]+ event ids {ULID} to {ULID}",
        "2,500 events go in one call",
    )
    twice = f"sent {CHECKOUT} {ULID} " * 2
    section(
        "The same checkout, sent twice",
        f"dedup id cart-checkout-completed-[0-9a-f]+ {twice}{functions}",
        "a checkout sent twice runs each function once",
    )
    section(
        "Three mistakes",
        re.escape(
            f"an empty cart id `cart_id` of `{CHECKOUT}` is in its dedup id but is empty; events without "
            "a value would share one id, and all but the first would be dropped "
            "an integer beyond 2^53 `data.number` of `storefront/customer.joined` is 616581622363398142, "
            "beyond ±(2^53 - 1), and Inngest would round it; send it as a string: "
            '`#[serde(with = "inngest_core::as_string")]` '
            f"a key that is refused `{CHECKOUT}` was not sent: the event key is refused (401): Event key "
            "not found"
        ),
        "three mistakes are told",
    )
    section(
        "Event types and versions stored",
        f"stored {CHECKOUT} 2026-11-01.1 4 stored storefront/coupon.redeemed 1 "
        "stored storefront/customer.joined 1 stored storefront/item.imported 2026-09-15.2 2,500",
        "four event types are stored, with their versions",
    )


class Server(BaseHTTPRequestHandler):
    """Takes every event, and counts them by the key they came with."""

    counts = {}

    def do_POST(self):
        events = json.loads(self.rfile.read(int(self.headers["content-length"])))
        count = len(events) if isinstance(events, list) else 1
        key = self.path.removeprefix("/e/")
        self.counts[key] = self.counts.get(key, 0) + count
        body = json.dumps({"ids": ["01K00000000000000000000000"] * count, "status": 200}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def elsewhere():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"

    ran = run(INNGEST_DEV=url)
    expect(ran.returncode == 0, "it sends to the server of INNGEST_DEV", ran.stderr)
    wrong = Server.counts.pop("a-key-of-last-year")
    counts = (Server.counts, wrong)
    expect(counts == ({"NO_EVENT_KEY_SET": 2_506}, 1), "and all of its 2,506 events", counts)
    expect(f"see {url}/runs" in ran.stdout, "and says where to look", ran.stdout)

    Server.counts.clear()
    ran = run("--", "--live", INNGEST_BASE_URL=url, INNGEST_EVENT_KEY="a-key")
    expect(ran.returncode == 0, "with --live it sends with the key of the environment", ran.stderr)
    expect(Server.counts["a-key"] < 10, "and only a handful of events", Server.counts)
    expect("https://app.inngest.com" in ran.stdout, "and says where to look", ran.stdout)
    server.shutdown()
    server.server_close()

    ran = run(INNGEST_DEV=url)
    expect(ran.returncode == 1, "without a server at INNGEST_DEV it fails", ran.stdout)
    told = ran.stderr[ran.stderr.find("Error: ") :]
    print(told)
    expect(f"Error: nothing reaches the Dev Server of INNGEST_DEV={url}" in told, "and says so", told)
    expect("inngest-cli@latest dev" in told and "panicked" not in told, "and what to do", told)


in_process()
elsewhere()
