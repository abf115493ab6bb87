// The demo's pages in a visitor's words: the clock, a phone, the coach who signs in.

import assert from "node:assert/strict";

/** Opens the start page: phone, coach and clock side by side. */
export async function openStart(page, url) {
  await page.goto(url);
  assert.match(page.url(), /\/demo$/);
  return {
    phone: page.frameLocator("#phone"),
    coach: page.frameLocator("#coach"),
    /** Presses a button of the clock, and waits until the house has done what fell due. */
    async putForward(to) {
      const clock = page.locator("#clock");
      const before = await clock.innerText();
      await page.locator(`#clock-${to}`).click();
      await page.waitForFunction(
        (was) => document.querySelector("#clock").innerText !== was && !document.querySelector("form[data-busy]"),
        before,
        { timeout: 40_000 },
      );
    },
    /** Puts somebody's phone into the frame. */
    async takePhoneOf(name) {
      // The frame may show this phone already: what is read must be the page that comes, not the one that goes.
      const taken = page.waitForEvent("framenavigated", (frame) => frame.name() === "phone");
      await page.locator("#people a[target=phone]", { hasText: name }).click();
      await taken;
      await page.frameLocator("#phone").getByRole("heading", { name: `Telefoon van ${name}` }).waitFor();
    },
    async signInAs(key) {
      await page.locator(`#as-${key}`).click();
      await page.frameLocator("#coach").locator("#menu").waitFor();
    },
  };
}

/** The address of somebody's phone. */
export async function phoneOf(page, url, name) {
  await page.goto(`${url}/demo`);
  const link = page.locator("#people a[target=phone]", { hasText: name });
  return new URL(await link.getAttribute("href"), url).href;
}

/** What stands on a phone, oldest first, without the times. */
export async function bubbles(phone) {
  return phone.locator("#talk .bubble").evaluateAll((all) =>
    all.map((bubble) => {
      const copy = bubble.cloneNode(true);
      copy.querySelector("time")?.remove();
      return copy.textContent.trim();
    }),
  );
}

/** Signs in by hand, with the address and the password that the start page shows. */
export async function signIn(page, url, look = async () => {}) {
  await page.goto(`${url}/demo`);
  const hints = await page.locator(".signs details p").allTextContents();
  const mail = hints[0].trim();
  const password = /^Wachtwoord: (.+)$/.exec(hints.at(-1).trim())[1];
  await page.goto(`${url}/inloggen`);
  await look(page);
  await page.getByLabel("E-mailadres").fill(mail);
  await page.getByLabel("Wachtwoord").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(/\/vandaag/);
}
