// whatsapp-api-js takes the webhooks that our stand-in signed, and Meta's own examples. It hashes
// the escaped form of a body, so it accepts a signature only where we write JSON the way Meta does.
// It knows no group events: those are not its to judge.

import { readFileSync } from "node:fs";
import { WhatsAppAPI } from "whatsapp-api-js";

const [secret, token] = ["graph-app-secret", "graph-verify-token"];
const seen = [];
const whatsapp = new WhatsAppAPI({ token: "token", appSecret: secret, webhookVerifyToken: token, v: "v23.0" });
whatsapp.on.message = ({ message }) => seen.push(message.id);
whatsapp.on.status = ({ id, status }) => seen.push(`${id}:${status}`);

const challenge = { "hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1158" };
if (whatsapp.get(challenge) !== "1158") throw new Error("no judge: the handshake went another way");

async function refused(body, signature) {
  try {
    await whatsapp.post(JSON.parse(body), body, signature);
    return undefined;
  } catch (error) {
    return error.httpStatus ?? String(error);
  }
}

const webhooks = readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => JSON.parse(line));
let number = 0;
const rejected = [];
for (const { name, body, signature } of webhooks) {
  const { field, value } = JSON.parse(body).entry[0].changes[0];
  if (field !== "messages") continue;
  number += 1;
  seen.length = 0;
  const last = signature.at(-1) === "0" ? "1" : "0";
  const forged = await refused(body, signature.slice(0, -1) + last);
  const honest = await refused(body, signature);
  const wanted = value.messages ? value.messages[0].id : `${value.statuses[0].id}:${value.statuses[0].status}`;
  if (forged !== 401 || honest !== undefined || seen.length !== 1 || seen[0] !== wanted) {
    rejected.push([name, forged, honest, ...seen]);
  }
}
// The rule that it is here for: the same text unescaped must not pass.
const spoken = webhooks.find(({ body }) => body.includes("\\u00e9"));
const unescaped = spoken.body.replaceAll(/\\u([0-9a-f]{4})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
const { createHmac } = await import("node:crypto");
const overRaw = `sha256=${createHmac("sha256", secret).update(unescaped).digest("hex")}`;
if ((await refused(unescaped, overRaw)) !== 401) throw new Error("no judge: it takes an unescaped body");

for (const each of rejected.slice(0, 10)) console.log("    REJECTED", ...each);
console.log(
  `whatsapp-api-js: ${number - rejected.length} of ${number} webhooks accepted, each refused with a forged signature`,
);
process.exit(rejected.length === 0 && number > 0 ? 0 : 1);
