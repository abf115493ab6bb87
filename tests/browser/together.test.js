// Several drafts at once, and two coaches at one draft: with script and without, at both widths.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openStart } from "./demo.js";
import { inspect, startBrowser, startDemo, visitor, WIDTHS } from "./house.js";

const LIST = "/concepten?wie=team";
let demo, browser, noor, joris;

/** A coach in a browser of their own. */
async function coach(key, options = {}) {
  const desk = await visitor(browser, WIDTHS.wide, options);
  const page = await desk.page();
  const start = await openStart(page, demo.url);
  await start.signInAs(key);
  return { desk, page, start };
}

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  noor = await coach("noor");
  joris = await coach("joris");
  // Mornings pass until two drafts of one rule wait.
  const look = await noor.desk.page();
  for (let days = 0; days < 14; days += 1) {
    await look.goto(demo.url + LIST);
    if (await look.locator(".together a").count()) break;
    await noor.start.putForward("morning");
  }
  assert.ok(await look.locator(".together a").count(), "a group to read together");
  await look.close();
  await noor.page.goto(demo.url + LIST);
});

after(async () => {
  await browser?.close();
  const ended = await demo?.stop();
  assert.deepEqual(ended, { code: 0, signal: null }, demo?.log());
});

test("S opens the group, every text stands there, one press approves and one takes back", async () => {
  const { page } = noor;
  assert.deepEqual(await inspect(page, "drafts-with-group"), []);
  await page.locator(".together a").first().waitFor();
  await page.keyboard.press("s");
  await page.locator("form.samen").waitFor();
  const boxes = page.locator(".batch input[type=checkbox]");
  const n = await boxes.count();
  assert.ok(n >= 2, `${n} drafts`);
  for (const text of await page.locator(".batch .text p:first-child").allInnerTexts()) {
    assert.match(text, /^Hoi /);
  }
  assert.deepEqual(await inspect(page, "together-nl"), []);
  const left = await page.locator(".batch li label").first().innerText();
  await boxes.first().uncheck();
  await page.getByRole("button", { name: "Aangevinkte goedkeuren" }).click();
  const told = page.locator(".toast", { hasText: "goedgekeurd" });
  await told.waitFor();
  assert.match(await told.innerText(), new RegExp(`^${n - 1} bericht(en)? goedgekeurd\\. Weg over \\d+ seconden\\.`));
  assert.ok(await page.locator(".queue", { hasText: left }).count(), `${left} waits still`);
  assert.deepEqual(await inspect(page, "together-told"), []);
  await told.getByRole("button", { name: "Ongedaan maken" }).click();
  await page.locator(".toast", { hasText: "teruggedraaid" }).waitFor();
  await page.goto(demo.url + LIST);
  assert.ok(await page.locator(".together a").count(), "the group is back");
});

test("two coaches at one draft see each other, and who leaves is gone", async () => {
  const page = await noor.desk.page();
  await page.goto(demo.url + LIST);
  const id = await page.locator("article.draft").getAttribute("data-id");
  await page.goto(`${demo.url}/concepten/${id}`);
  const here = page.locator("#kijkers-deel");
  assert.equal((await here.innerText()).trim(), "");
  const other = await joris.desk.page();
  await other.goto(`${demo.url}/concepten/${id}`);
  await other.locator("#kijkers-deel", { hasText: "kijkt hier ook naar" }).waitFor();
  await page.locator("#kijkers-deel", { hasText: "kijkt hier ook naar" }).waitFor();
  assert.deepEqual(await inspect(page, "beside"), []);
  await other.close();
  await page.waitForFunction(() => document.querySelector("#kijkers-deel").innerText.trim() === "", undefined, { timeout: 16_000 });
  await page.close();
});

test("a page that was fetched before and comes late does not take away what came since", async () => {
  const page = await noor.desk.page();
  await page.goto(demo.url + LIST);
  const id = await page.locator("article.draft").getAttribute("data-id");
  await page.goto(`${demo.url}/concepten/${id}`);
  let late;
  const fetched = new Promise((done) => {
    page.route(`**/concepten/${id}`, async (route) => {
      const response = await route.fetch();
      if (!late) {
        late = () => route.fulfill({ response });
        return done();
      }
      return route.fulfill({ response });
    });
  });
  await page.evaluate(() => look(["concept-deel"]));
  await fetched;
  const other = await joris.desk.page();
  await other.goto(`${demo.url}/concepten/${id}`);
  await other.locator("#kijkers-deel", { hasText: "kijkt hier ook naar" }).waitFor();
  // The beat in which the first page hears of the second.
  await page.waitForTimeout(5_000);
  await late();
  await page.waitForTimeout(1_000);
  await page.locator("#kijkers-deel", { hasText: "kijkt hier ook naar" }).waitFor();
  await other.close();
  await page.close();
});

test("without script a group is approved and taken back, and who is there is said at load", async () => {
  const plain = await visitor(browser, WIDTHS.narrow, { javaScriptEnabled: false });
  await plain.context.addCookies(await noor.desk.context.cookies());
  const page = await plain.page();
  await page.goto(demo.url + LIST);
  await page.locator(".together a").first().click();
  await page.getByRole("button", { name: "Aangevinkte goedkeuren" }).click();
  await page.getByText("goedgekeurd. Weg over").waitFor();
  await page.getByRole("button", { name: "Ongedaan maken" }).click();
  await page.getByText("teruggedraaid").waitFor();
  await page.goto(demo.url + LIST);
  const id = await page.locator("article.draft").getAttribute("data-id");
  const other = await joris.desk.page();
  await other.goto(`${demo.url}/concepten/${id}`);
  await other.locator("#kijkers-deel", { hasText: "kijkt hier ook naar" }).waitFor();
  await page.goto(`${demo.url}/concepten/${id}`);
  await page.getByText("kijkt hier ook naar").waitFor();
  await other.close();
  assert.deepEqual(plain.complaints, []);
  await plain.context.close();
});

test("in English too, and an empty group says so", async () => {
  const { page } = noor;
  await page.goto(`${demo.url}/vandaag`);
  await page.locator(".me summary").click();
  await page.locator("button[name=taal]").click();
  await page.waitForLoadState();
  await page.goto(demo.url + LIST);
  await page.locator(".together a").first().click();
  await page.getByRole("button", { name: "Approve what is ticked" }).waitFor();
  assert.deepEqual(await inspect(page, "together-en"), []);
  await page.goto(`${demo.url}/concepten/samen?regel=no/rule`);
  await page.getByText("There is nothing to read together here.").waitFor();
  assert.deepEqual(await inspect(page, "together-none"), []);
  assert.deepEqual(noor.desk.complaints, []);
  assert.deepEqual(joris.desk.complaints, []);
});
