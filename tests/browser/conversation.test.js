// The whole conversation, as a visitor of the demo sees it on its start page: a morning comes, a nudge
// becomes a draft, the coach approves it, it arrives on the phone after the ten seconds in which it could
// be taken back, the candidate answers 1, the plan changes, and a day passes. Then every page, at both
// widths: axe, sideways scrolling, small targets, and not one complaint of the browser.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { bubbles, openStart, phoneOf, signIn } from "./demo.js";
import { inspect, startBrowser, startDemo, visitor, WIDTHS } from "./house.js";

let demo, browser, desk;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  desk = await visitor(browser);
});

// A browser keeps six connections to one host, and every open page holds one for its news.
afterEach(async () => {
  for (const page of desk.context.pages()) await page.close();
});

after(async () => {
  await browser?.close();
  const ended = await demo?.stop();
  assert.deepEqual(ended, { code: 0, signal: null }, demo?.log());
});

test("a nudge becomes a draft, is approved, arrives, is answered, and the plan changes", async () => {
  const page = await desk.page();
  const start = await openStart(page, demo.url);
  await start.signInAs("noor");
  assert.deepEqual(await inspect(page, "demo-start"), []);

  await start.putForward("morning");
  await start.coach.locator("#menu").getByRole("link", { name: "Concepten" }).click();
  const draft = start.coach.locator("article.draft");
  const name = "Samira el Amrani";
  const named = draft.locator("#concept-naam");
  for (let shown = await named.innerText(); shown.trim() !== name; shown = await named.innerText()) {
    await start.coach.getByRole("link", { name: "Volgende concept" }).click();
    await named.filter({ hasNotText: shown.trim() }).waitFor();
  }
  assert.deepEqual(await draft.locator(".phone .taps li").allInnerTexts(), ["Ja, gelukt", "Nog niet", "Ik wil hulp"]);
  const person = new URL(await draft.locator("#concept-naam a").getAttribute("href"), demo.url).href;
  const text = (await draft.locator(".phone .bubble").innerText()).trim();
  const reasons = await draft.locator(".why dt").allInnerTexts();
  for (const reason of ["Waarom dit", "Waarom nu", "Waarom WhatsApp", "Kosten", "Als het stil blijft"]) {
    assert.ok(reasons.includes(reason), `the draft says: ${reason}, beside ${reasons}`);
  }
  const step = /^Stap (\d+): (.+)$/m.exec(await draft.locator(".why").innerText());
  assert.ok(step, "the draft names the step that it is about");
  await start.takePhoneOf(name);
  const earlier = await bubbles(start.phone);
  assert.ok(!earlier.includes(text), "a draft is not on the phone");

  // It waits ten seconds, in which it can be undone.
  await draft.getByRole("button", { name: "Goedkeuren" }).click();
  await start.coach.getByRole("button", { name: "Ongedaan maken" }).waitFor();
  assert.deepEqual(await bubbles(start.phone), earlier, "nothing leaves while it can be undone");
  const arrived = start.phone.locator("#talk .bubble", { hasText: text });
  await arrived.waitFor({ timeout: 30_000 });
  assert.equal(await arrived.count(), 1);
  assert.equal((await bubbles(start.phone)).length, earlier.length + 1);

  await start.phone.locator("#say").fill("1");
  await start.phone.locator("#say-send").click();
  await start.phone.locator("#talk .bubble:last-of-type", { hasText: "Goed gedaan" }).waitFor({ timeout: 20_000 });
  assert.deepEqual((await bubbles(start.phone)).slice(-3, -1), [text, "1"]);

  // The coach sees it, without anybody pressing anything.
  const file = await desk.page();
  await file.goto(person);
  const row = file.locator("#plan .steps-list li.is-done", { hasText: step[2] });
  await row.waitFor();
  assert.equal((await row.locator(".no").innerText()).trim(), step[1]);
  const thread = file.locator("#gesprek-deel");
  await thread.getByText(text.split("\n")[0], { exact: false }).last().waitFor();
  assert.match(await thread.innerText(), /afgeleverd|gelezen/);

  // A day passes: nobody asks about that step again.
  await start.putForward("morning");
  await start.takePhoneOf(name);
  assert.equal(await start.phone.locator("#talk .bubble", { hasText: text }).count(), 1);
  assert.deepEqual(await inspect(page, "demo-after"), []);
});

test("an open page of a coach changes by itself when something arrives", async () => {
  const coach = await desk.page();
  const phone = await desk.page();
  await phone.goto(await phoneOf(phone, demo.url, "Layla Haddad"));
  const id = new URL(phone.url()).pathname.split("/").at(-1);
  await coach.goto(`${demo.url}/kandidaten/${id}`);
  const words = "Ik heb een vraag over mijn sollicitatie";
  await phone.locator("#say").fill(words);
  await phone.locator("#say-send").click();
  await coach.locator("#gesprek-deel").getByText(words).waitFor();
});

test("an approval that is undone is a draft again, and the phone stays silent", async () => {
  const page = await desk.page();
  const start = await openStart(page, demo.url);
  const coach = await desk.page();
  const draft = coach.locator("article.draft");
  const approve = draft.getByRole("button", { name: "Goedkeuren" });
  await coach.goto(`${demo.url}/concepten`);
  for (let days = 0; days < 14 && (await approve.count()) === 0; days += 1) {
    await start.putForward("morning");
    await coach.goto(`${demo.url}/concepten`);
  }
  const id = await draft.getAttribute("data-id");
  const name = (await draft.locator("#concept-naam").innerText()).trim();
  await start.takePhoneOf(name);
  const earlier = await bubbles(start.phone);
  await approve.click();
  await coach.getByRole("button", { name: "Ongedaan maken" }).click();
  await coach.getByText("Teruggedraaid").waitFor();
  // An hour of the house's clock is far beyond the ten seconds.
  await start.putForward("hour");
  assert.deepEqual(await bubbles(start.phone), earlier);
  await coach.goto(`${demo.url}/concepten/${id}`);
  assert.equal(await approve.count(), 1);
});

test("the keys of a coach: J and K move, ? helps, Escape closes, and nothing happens while typing", async () => {
  const page = await desk.page();
  await page.goto(`${demo.url}/concepten`);
  await page.keyboard.press("?");
  const help = page.locator("#help");
  await help.waitFor();
  assert.deepEqual(await inspect(page, "keys"), []);
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
  // The pictures above made the window narrow, where there is no field to search: it must be back.
  await page.locator(".find input").first().waitFor();
  // The box in the help that was just closed may have the focus still: the keys work all the same.
  await page.locator("#keys-on").evaluate((box) => box.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true })));
  await page.waitForFunction(() => document.activeElement?.matches(".find input"));
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement?.matches(".find input"));
  await page.keyboard.type("gbn");
  assert.equal(await page.locator(".find input").first().inputValue(), "gbn");
  assert.match(page.url(), /\/concepten/);
});

test("every page, at both widths, in both languages", async () => {
  const wrong = [];
  const stranger = await visitor(browser);
  const door = await stranger.page();
  await signIn(door, demo.url, async (page) => wrong.push(...(await inspect(page, "sign-in"))));

  const visit = async (name, path, status = 200) => {
    const answer = await door.goto(demo.url + path);
    assert.equal(answer.status(), status, path);
    wrong.push(...(await inspect(door, name)));
  };
  const people = async () =>
    door.locator("main a[href^='/kandidaten/']").evaluateAll((all) => [
      ...new Set(all.map((link) => link.getAttribute("href").split(/[#?]/)[0])),
    ]);
  await door.goto(`${demo.url}/kandidaten`);
  const everybody = await people();
  assert.ok(everybody.length >= 8, `${everybody.length} candidates`);
  const phone = new URL(await phoneOf(door, demo.url, "Kees Vermeulen")).pathname;

  for (const language of ["nl", "en"]) {
    for (const [name, path] of Object.entries({
      today: "/vandaag",
      drafts: "/concepten",
      candidates: "/kandidaten",
      password: "/wachtwoord",
      operator: "/beheer",
      agenda: "/agenda",
      vacancies: "/vacatures",
      away: "/weg",
      meetings: `${everybody[0]}/afspraken`,
      search: `${everybody[0]}/werk`,
      plan: `${everybody[0]}/plan`,
      letter: `${everybody[0]}/brief`,
      start: "/demo",
      phone,
    })) {
      await visit(`${name}-${language}`, path);
      assert.equal(await door.locator("html").getAttribute("lang"), language, path);
    }
    for (const [n, path] of everybody.entries()) await visit(`candidate-${n + 1}-${language}`, path);
    await door.goto(`${demo.url}${everybody[0]}/start`);
    await door.locator("main form button").click();
    await door.locator(".code").waitFor();
    wrong.push(...(await inspect(door, `start-in-the-room-${language}`)));
    await door.goto(`${demo.url}${everybody[0]}/brief`);
    await door.locator("main form button").click();
    await door.waitForURL(/code=/);
    wrong.push(...(await inspect(door, `letter-with-code-${language}`)));

    await door.goto(`${demo.url}/vandaag`);
    await door.locator(".me summary").click();
    await door.locator("button[name=taal]").click();
    await door.waitForLoadState();
  }
  assert.deepEqual(wrong, []);
  assert.deepEqual(stranger.complaints, []);

  // A 404 is an error to the browser too: it is looked at after the complaints were counted.
  await visit("not-found", `${everybody[0].slice(0, -26)}01J00000000000000000000000`, 404);
  assert.deepEqual(wrong, []);
  await stranger.context.close();
});

test("without script a coach can sign in, approve and take back", async () => {
  const plain = await visitor(browser, WIDTHS.wide, { javaScriptEnabled: false });
  const page = await plain.page();
  await signIn(page, demo.url);
  await page.goto(`${demo.url}/concepten`);
  const id = await page.locator("article.draft").getAttribute("data-id");
  const approve = page.locator("article.draft").getByRole("button", { name: "Goedkeuren" });
  await approve.click();
  await page.getByRole("button", { name: "Ongedaan maken" }).click();
  await page.getByText("Teruggedraaid").waitFor();
  await page.goto(`${demo.url}/concepten/${id}`);
  assert.equal(await approve.count(), 1);
  assert.deepEqual(plain.complaints, []);
  await plain.context.close();
});

test("a stranger is asked to sign in", async () => {
  const stranger = await visitor(browser);
  const page = await stranger.page();
  for (const path of ["/vandaag", "/concepten", "/kandidaten", "/beheer", "/wachtwoord"]) {
    await page.goto(demo.url + path);
    assert.match(page.url(), /\/inloggen/, path);
  }
  await stranger.context.close();
});

test("the browser has no complaint about any of it", () => {
  assert.deepEqual(desk.complaints, []);
});
