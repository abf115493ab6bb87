"""pywa, in both directions.

As receiver it takes the webhooks that our stand-in signed and Meta's own examples; its handlers
must see the very ids. As sender it is asked for the same messages that we sent; the two requests
must be equal, but for what is listed here.

pywa 4.5.0 has two limits, so two kinds of webhook are not its to judge: groups, and *failed*
receipts, in which Meta leaves out the `contacts` that it reads.
"""

import json
import logging
import sys

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pywa import WhatsApp, types
from pywa.types.templates import (
    BodyText,
    QuickReplyButton,
    TemplateLanguage,
)

from recorded import bodies, kind, lines

APP_SECRET, VERIFY_TOKEN, PHONE_ID = "graph-app-secret", "graph-verify-token", "106540352242922"


# ------------------------------------------------------------------------------- as receiver


def receiver():
    app, seen, complaints = FastAPI(), [], []

    class Complaints(logging.Handler):
        def emit(self, record):
            complaints.append(self.format(record))

    logging.getLogger("pywa").addHandler(Complaints(level=logging.WARNING))
    whatsapp = WhatsApp(
        phone_id=PHONE_ID,
        token="token",
        server=app,
        webhook_endpoint="/in/meta",
        verify_token=VERIFY_TOKEN,
        app_secret=APP_SECRET,
        filter_updates=False,
    )
    # Whatever pywa can make of a webhook, by the name of what it made.
    for name in ("message", "callback_button", "callback_selection", "message_status",
                 "phone_number_change", "identity_change"):
        getattr(whatsapp, f"on_{name}")(lambda _, update: seen.append(update))
    return TestClient(app), seen, complaints


def judged(value):
    failed = any(status["status"] == "failed" for status in value.get("statuses", []))
    return not failed and ("messages" in value or "statuses" in value)


def content(update):
    """What pywa read, where both name it alike."""
    if isinstance(update, types.CallbackButton | types.CallbackSelection):
        return update.data
    if isinstance(update, types.MessageStatus):
        return update.tracker
    return getattr(update, "text", None)


def wanted(part):
    if "status" in part:
        return part.get("biz_opaque_callback_data")
    if part["type"] == "interactive":
        return part["interactive"][part["interactive"]["type"]]["id"]
    return {
        "text": lambda: part["text"]["body"],
        "button": lambda: part["button"]["payload"],
    }.get(part["type"], lambda: None)()


def receive(webhooks):
    client, seen, complaints = receiver()
    handshake = {"hub.mode": "subscribe", "hub.challenge": "1158", "hub.verify_token": VERIFY_TOKEN}
    answer = client.get("/in/meta", params=handshake)
    wrong = client.get("/in/meta", params={**handshake, "hub.verify_token": "no"})
    if (answer.status_code, answer.text, wrong.status_code) != (200, "1158", 403):
        sys.exit("pywa is no judge: the handshake went another way")
    rejected, number, left_out = [], 0, 0
    for webhook in lines(webhooks):
        value = json.loads(webhook["body"])["entry"][0]["changes"][0]["value"]
        if not judged(value):
            left_out += 1
            continue
        number += 1
        part = (value.get("messages") or value.get("statuses"))[0]
        seen.clear()
        complaints.clear()
        forged = webhook["signature"][:-1] + ("0" if webhook["signature"][-1] != "0" else "1")
        statuses = []
        for signature in (forged, webhook["signature"]):
            headers = {"x-hub-signature-256": signature, "content-type": "application/json"}
            answer = client.post("/in/meta", content=webhook["body"].encode(), headers=headers)
            statuses.append(answer.status_code)
        # Its warning about the forged signature is the one that is due.
        found = [(update.id, content(update)) for update in seen]
        expected = [(part["id"], wanted(part))]
        if statuses != [403, 200] or found != expected or len(complaints) != 1:
            rejected.append((webhook["name"], statuses, found, expected, complaints[:]))
    for case in rejected[:10]:
        print("    REJECTED", *case)
    print(
        f"pywa, receiver: {number - len(rejected)} of {number} webhooks accepted and read alike, each"
        f" refused with a forged signature ({left_out} it cannot judge)"
    )
    return bool(rejected) or not number


# --------------------------------------------------------------------------------- as sender


def sender():
    sent = []

    def answer(request):
        sent.append(json.loads(request.content))
        ids = [{"id": "wamid.judge", "message_status": "accepted"}]
        contacts = [{"input": "x", "wa_id": "31612345678", "user_id": "NL.1"}]
        body = {"messaging_product": "whatsapp", "contacts": contacts, "messages": ids}
        return httpx.Response(200, json=body, request=request)

    client = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://127.0.0.1")
    return WhatsApp(phone_id=PHONE_ID, token="token", session=client, api_version=23.0), sent


def send(whatsapp, body):
    """Asks pywa for the message that a body of ours is."""
    to = body.get("to") or body.get("recipient")
    about = {"tracker": body["biz_opaque_callback_data"]}
    part = body[body["type"]]
    if body["type"] == "text":
        whatsapp.send_message(to, part["body"], preview_url=part["preview_url"], **about)
    elif body["type"] == "template":
        params = []
        for component in part.get("components", []):
            parameters = component["parameters"]
            if component["type"] == "body":
                params.append(BodyText.params(*(parameter["text"] for parameter in parameters)))
            else:
                data, index = parameters[0]["payload"], int(component["index"])
                params.append(QuickReplyButton.params(callback_data=data, index=index))
        language = TemplateLanguage(part["language"]["code"])
        whatsapp.send_template(to, part["name"], language, params, **about)
    elif part["type"] == "button":
        replies = [button["reply"] for button in part["action"]["buttons"]]
        buttons = [types.Button(reply["title"], callback_data=reply["id"]) for reply in replies]
        whatsapp.send_message(to, part["body"]["text"], buttons=buttons, **about)
    else:
        rows = [
            types.SectionRow(title=row["title"], callback_data=row["id"])
            for row in part["action"]["sections"][0]["rows"]
        ]
        sections = [types.Section(title="", rows=rows)]
        choice = types.SectionList(part["action"]["button"], sections=sections)
        whatsapp.send_message(to, part["body"]["text"], buttons=choice, **about)


def normal(body):
    """Without the differences that mean nothing to Meta."""
    body = json.loads(json.dumps(body))
    # The plus: pywa leaves a number as it was given, Meta takes both.
    if "to" in body:
        body["to"] = body["to"].lstrip("+")
    template = body.get("template", {})
    # A template without anything to fill in may say so or not.
    if not template.get("components", True):
        del template["components"]
    for component in template.get("components", []):
        component["type"] = component["type"].lower()
        if "sub_type" in component:
            component["sub_type"] = component["sub_type"].lower()
            component["index"] = str(component["index"])
        for parameter in component["parameters"]:
            parameter["type"] = parameter["type"].lower()
    # A title is due only where there are several sections.
    for section in body.get("interactive", {}).get("action", {}).get("sections", []):
        if not section.get("title"):
            section.pop("title", None)
    return body


def compare(recorded):
    whatsapp, sent = sender()
    rejected, number = [], 0
    for record in bodies(recorded):
        body = json.loads(record["body"])
        number += 1
        sent.clear()
        try:
            send(whatsapp, body)
            theirs = sent[0]
        except Exception as error:  # whatever pywa objects to is a verdict
            rejected.append((kind(body), body, repr(error)))
            continue
        if normal(body) != normal(theirs):
            rejected.append((kind(body), normal(body), normal(theirs)))
    for what, ours, theirs in rejected[:10]:
        print(f"    REJECTED {what}\n      ours   {json.dumps(ours)}\n      theirs {json.dumps(theirs)}")
    print(f"pywa, sender: {number - len(rejected)} of {number} bodies are the ones that it would send")
    return bool(rejected) or not number


def main(recorded, webhooks):
    # Both are asked, also when the first one rejects something.
    return 1 if receive(webhooks) | compare(recorded) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
