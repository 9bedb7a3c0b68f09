"""Sends events and runs a function with the encryption middleware of PyPI. For its input and output see
functions.mjs.
"""

import json
import logging
import sys

import inngest
import inngest.digital_ocean
from inngest_encryption import EncryptionMiddleware

logging.disable()


class Context:
    """What DigitalOcean passes to a function. This is the handler of the package that needs no web framework."""

    function_name = "/test"
    api_host = "http://localhost"


def client(keys, url=None):
    middleware = EncryptionMiddleware.factory(keys[0], fallback_decryption_keys=keys[1:])
    return inngest.Inngest(
        app_id="test", is_production=False, event_api_base_url=url, event_key="test", middleware=[middleware]
    )


def run(keys, event):
    app = client(keys)
    seen = {}

    @app.create_function(fn_id="read", trigger=inngest.TriggerEvent(event=event["name"]), retries=0)
    def read(ctx: inngest.ContextSync):
        seen.update(event=ctx.event.data, events=[event.data for event in ctx.events])
        return ctx.event.data["encrypted"]

    stack = {"stack": [], "current": 0}
    ctx = {"run_id": "run", "fn_id": "read", "attempt": 0, "disable_immediate_execution": True, "use_api": False}
    body = {"version": 1, "event": event, "events": [event], "steps": {}, "ctx": {**ctx, "stack": stack}}
    http = {
        "method": "POST",
        "headers": {"content-type": "application/json"},
        "queryString": "fnId=test-read&stepId=step",
        "path": "",
        "body": json.dumps({**body, "use_api": False}),
    }
    response = inngest.digital_ocean.serve(app, [read])({"http": http}, Context())
    answer = response["body"]
    if response["statusCode"] != 200:
        return {"error": json.dumps(answer)}
    return {"seen": seen, "output": answer}


for line in sys.stdin:
    request = json.loads(line)
    keys = request["keys"]
    try:
        if "run" in request:
            answer = run(keys, request["run"])
        else:
            event = inngest.Event(name="test/sealed", data=request["send"])
            answer = {"ids": client(keys, request["url"]).send_sync(event)}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
