// The tools of the browser tests, tried on a page that is wrong in every way they look for. A tool
// that finds nothing here would find nothing anywhere.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { axe, overflows, smallTargets, startBrowser, visitor } from "./house.js";

const WRONG = `<!doctype html><html><head><title>wrong</title></head><body>
  <img src="/missing.png"><input type="text">
  <div style="width: 3000px">inline style</div>
  <div class="wide">wide</div>
  <button class="tiny">x</button>
  <script>document.title = "ran";</script>
  <img alt="" src="http://192.0.2.1/elsewhere.png">
  <iframe title="inside" src="/inside"></iframe>
</body></html>`;
const FINE = `<!doctype html><html lang="nl"><head><title>goed</title><link rel="icon" href="/icon.svg">
  <meta name="viewport" content="width=device-width"></head>
  <body><main><h1>Goed</h1><p>Niets mis.</p></main></body></html>`;
const POLICY = "default-src 'self'; img-src *; script-src 'self'; style-src 'self' 'sha256-none'";

let browser, server, url;

before(async () => {
  browser = await startBrowser();
  server = createServer((request, response) => {
    const send = (status, type, body) => {
      response.writeHead(status, { "content-type": type, "content-security-policy": POLICY });
      response.end(body);
    };
    if (request.url === "/wrong") return send(200, "text/html", WRONG.replace("</head>", '<link rel="stylesheet" href="/wrong.css"></head>'));
    if (request.url === "/wrong.css") return send(200, "text/css", ".wide { width: 2000px } .tiny { display: block; width: 10px; height: 10px; padding: 0; border: 0 }");
    if (request.url === "/inside") return send(200, "text/html", '<!doctype html><html lang="nl"><title>x</title><body><main><h1>x</h1><img src="/icon.svg"></main>');
    if (request.url === "/icon.svg") return send(200, "image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"/>');
    if (request.url === "/fine") return send(200, "text/html", FINE);
    return send(404, "text/plain", "no");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${server.address().port}`;
});

after(async () => {
  await browser?.close();
  server?.close();
});

test("a page that is wrong is seen to be wrong", async () => {
  const { page: open, complaints, context } = await visitor(browser);
  const page = await open();
  await page.goto(`${url}/wrong`);
  const found = (await axe(page)).join("\n");
  assert.match(found, /image-alt/);
  assert.match(found, /label/);
  assert.match(found, /html-has-lang/);
  assert.match(found, /iframe/, "axe looks inside frames");
  assert.notDeepEqual(await overflows(page), []);
  assert.match((await smallTargets(page)).join("\n"), /tiny/);
  const said = complaints.join("\n");
  assert.match(said, /404/);
  assert.match(said, /inline style/);
  assert.match(said, /inline script/);
  assert.match(said, /another machine: http:\/\/192\.0\.2\.1/);
  assert.equal(await page.title(), "wrong", "the policy kept the inline script from running");
  await context.close();
});

test("a page that is fine has nothing said about it", async () => {
  const { page: open, complaints, context } = await visitor(browser);
  const page = await open();
  await page.goto(`${url}/fine`);
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(await overflows(page), []);
  assert.deepEqual(await smallTargets(page), []);
  assert.deepEqual(complaints, []);
  await context.close();
});
