"""The bodies that the tests sent: what was recorded, each different one once."""

import json


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def bodies(path):
    """Records by (path, authorization, body without its token): a token differs at each run."""
    seen = {}
    for record in lines(path):
        body = json.loads(record["body"])
        shape = {key: value for key, value in body.items() if key != "biz_opaque_callback_data"}
        seen.setdefault((record["path"], record["authorization"], json.dumps(shape)), record)
    return list(seen.values())


def kind(body):
    name = body["type"]
    return f"{name} {body[name]['type']}" if name == "interactive" else name
