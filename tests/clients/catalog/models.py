"""Validates generated values of all payloads with the models that datamodel-codegen has generated."""

import importlib
import json
import pathlib
import sys

import pydantic

folder = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(folder))
events = importlib.import_module("events")

definitions = json.loads((folder / "schema.json").read_text())["$defs"]
models = {
    (schema["x-inngest-event"], schema.get("x-inngest-version")): getattr(events, name)
    for name, schema in definitions.items()
    if "x-inngest-event" in schema
}
values = json.loads((folder / "values.json").read_text())
problems, rejected = [], 0
for value in values:
    model, data = models[value["name"], value["v"]], value["data"]
    try:
        model.model_validate(data)
        # Functions receive an object where no data was sent.
        model.model_validate(data if data is not None else {})
    except pydantic.ValidationError as error:
        problems.append(f"{value['name']}: {error}\n{json.dumps(data)}")
    # The models are not such that they accept anything.
    try:
        model.model_validate("text")
    except pydantic.ValidationError:
        rejected += 1
if problems or rejected < len(values):
    print(*problems[:5], sep="\n")
    sys.exit(f"catalog: models: {len(problems)} of {len(values)} values were refused, {rejected} texts were")
print(f"catalog: models: {len(values)} values of {len(models)} models accepted")
