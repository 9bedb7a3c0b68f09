"""Sends events with the `inngest` package of PyPI, and prints the result of each call as a line of JSON."""

import asyncio
import json
import logging
import sys

import inngest

base_url, key = sys.argv[1:]
logging.disable()


def client(event_key):
    return inngest.Inngest(
        app_id="test", event_api_base_url=base_url, event_key=event_key, is_production=True
    )


good, bad = client(key), client("another-key")


def event(call, number, name="test/sent", id=""):
    return inngest.Event(name=name, data={"call": call, "number": number}, id=id)


def report(call, client, events):
    try:
        print(json.dumps({"call": call, "ids": client.send_sync(events)}))
    except Exception as error:
        ids = getattr(error, "ids", [])
        print(json.dumps({"call": call, "error": repr(error), "ids": ids}))


async def report_async(call, client, events):
    print(json.dumps({"call": call, "ids": await client.send(events)}))


report("one, through a 503", good, event("one, through a 503", 0))
report("one", good, event("one", 0))
asyncio.run(report_async("one, asynchronously", good, event("one, asynchronously", 0)))
report("a batch", good, [event("a batch", number) for number in range(50)])
report("one with an id", good, event("one with an id", 0, id="test-id"))
report("the same id again", good, event("the same id again", 0, id="test-id"))
report("a batch with ids", good, [event("a batch with ids", n, id=f"id-{n}") for n in range(5)])
report("a key that is refused", bad, [event("a key that is refused", n) for n in range(2)])
names = ["test/sent", "test/sent", "inngest/reserved", "test/sent"]
partial = [event("a batch whose third is bad", n, name=name) for n, name in enumerate(names)]
report("a batch whose third is bad", good, partial)
