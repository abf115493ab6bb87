"""Prism, against Meta's specification: is every body that we send one that the Graph API takes?

Before it may judge, it has to reject bodies that are known to be wrong.
"""

import collections
import copy
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from recorded import bodies, kind, lines

GOOD = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "+31612345678",
    "type": "interactive",
    "interactive": {
        "type": "button",
        "body": {"text": "Is je cv af?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "Ja"}}]},
    },
}


def planted():
    """Wrong bodies, by what is wrong with them."""
    wrong = {}
    for name in ("29 characters on a button", "no recipient", "a misspelt field", "4 buttons"):
        wrong[name] = copy.deepcopy(GOOD)
    buttons = wrong["29 characters on a button"]["interactive"]["action"]["buttons"]
    buttons[0]["reply"]["title"] = "x" * 29
    del wrong["no recipient"]["to"]
    wrong["a misspelt field"]["recipient_typo"] = "individual"
    wrong["4 buttons"]["interactive"]["action"]["buttons"] = [
        {"type": "reply", "reply": {"id": str(n), "title": str(n)}} for n in range(4)
    ]
    return wrong


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Prism:
    def __init__(self, spec):
        self.base = f"http://127.0.0.1:{free_port()}"
        command = ["node_modules/.bin/prism", "mock", "--host", "127.0.0.1"]
        command += ["--port", self.base.rsplit(":", 1)[1], "--verboseLevel", "warn", spec]
        self.log = open(os.path.join("node_modules", ".prism.log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def __enter__(self):
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                self.post("/", None, b"")
                return self
            except urllib.error.URLError:
                time.sleep(0.1)
        self.__exit__()
        sys.exit(f"prism did not start; its words are in {self.log.name}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)

    def post(self, path, authorization, body):
        headers = {"content-type": "application/json"}
        if authorization:
            headers["authorization"] = authorization
        request = urllib.request.Request(self.base + path, body, headers, method="POST")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def main(spec, recorded):
    path, bearer = "/v23.0/106540352242922/messages", "Bearer token"
    rejected = []
    with Prism(spec) as prism:
        if prism.post(path, bearer, json.dumps(GOOD).encode())[0] != 200:
            sys.exit("prism is no judge: it rejects a good body")
        for name, body in planted().items():
            if prism.post(path, bearer, json.dumps(body).encode())[0] == 200:
                sys.exit(f"prism is no judge: it takes {name}")
        if prism.post(path, None, json.dumps(GOOD).encode())[0] != 401:
            sys.exit("prism is no judge: it takes a request without a token")
        count = collections.Counter()
        distinct = bodies(recorded)
        for record in distinct:
            status, answer = prism.post(
                record["path"], record["authorization"], record["body"].encode()
            )
            what = kind(json.loads(record["body"]))
            count[what, status] += 1
            if status != 200:
                rejected.append((what, status, record["body"], answer))
    for (what, status), number in sorted(count.items()):
        print(f"    {what:<20} {status} {number:5}")
    for what, status, body, answer in rejected[:10]:
        print(f"    REJECTED {what} {status}\n      {body}\n      {answer}")
    print(
        f"prism: {len(distinct) - len(rejected)} of {len(distinct)} different bodies accepted"
        f" ({len(lines(recorded))} sent); {len(planted())} planted mistakes rejected"
    )
    return 1 if rejected or not distinct else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
