// Starts and stops what a browser test needs: the demo, a Chromium, pages that are watched.
// It knows no page of Tussendoor: those stand in the tests.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { accessSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const top = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const pictures = join(top, "target", "screenshots");
const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The two widths at which every page must work. */
export const WIDTHS = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 844 } };

/** Starts the built binary on a fresh folder and waits until it is ready. */
export async function startDemo() {
  const folder = await mkdtemp(join(tmpdir(), "tussendoor-browser-"));
  const child = spawn(
    process.env.TUSSENDOOR_BINARY ?? join(top, "target", "debug", "tussendoor"),
    ["demo", "--listen", "127.0.0.1:0", "--data-dir", join(folder, "data")],
    { cwd: top, stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  const url = await new Promise((ready, failed) => {
    const late = setTimeout(() => failed(new Error(`the demo is not ready after 60 s:\n${said}`)), 60_000);
    const hear = (chunk) => {
      said += chunk;
      const found = /ready on (http:\/\/127\.0\.0\.1:\d+)/.exec(said);
      if (found) {
        clearTimeout(late);
        ready(found[1]);
      }
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("error", failed);
    child.once("exit", (code) => {
      clearTimeout(late);
      failed(new Error(`the demo ended with ${code} before it was ready:\n${said}`));
    });
  });
  return {
    url,
    log: () => said,
    /** Asks it to stop, and says how it did. */
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, "exit");
        child.kill("SIGTERM");
        const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
        await gone;
        clearTimeout(late);
      }
      await rm(folder, { recursive: true, force: true });
      return { code: child.exitCode, signal: child.signalCode };
    },
  };
}

function chromiumProgram() {
  const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
  if (process.env.CHROMIUM) names.unshift(process.env.CHROMIUM);
  for (const name of names) {
    const places = name.includes("/") ? [""] : process.env.PATH.split(delimiter);
    for (const place of places) {
      const path = place ? join(place, name) : name;
      try {
        accessSync(path);
        return path;
      } catch {
        // the next place
      }
    }
  }
  throw new Error("no Chromium found: install it, or name it in CHROMIUM");
}

/** One Chromium that speaks to this machine only. */
export async function startBrowser() {
  return chromium.launch({
    executablePath: chromiumProgram(),
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A fresh visitor. Every complaint of the browser is kept, and a request to elsewhere refused. */
export async function visitor(browser, size = WIDTHS.wide, options = {}) {
  const context = await browser.newContext({
    viewport: size,
    locale: "nl-NL",
    timezoneId: "Europe/Amsterdam",
    reducedMotion: "reduce",
    ...options,
  });
  context.setDefaultTimeout(10_000);
  const complaints = [];
  await context.route(
    (url) => !["127.0.0.1", "localhost"].includes(url.hostname) && url.protocol.startsWith("http"),
    (route) => {
      complaints.push(`asks another machine: ${route.request().url()}`);
      return route.abort();
    },
  );
  context.on("page", (page) => {
    page.on("console", (message) => {
      // Refused by the content policy, not found, and our own script's errors all arrive here.
      if (["error", "warning"].includes(message.type())) {
        complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
    page.on("response", (response) => {
      if (response.status() >= 500) complaints.push(`${response.status()}: ${response.url()}`);
    });
  });
  return { context, complaints, page: () => context.newPage() };
}

/** What axe finds wrong on this page, frames included: one line each, an empty list when clean. */
export async function axe(page) {
  for (const frame of page.frames()) await frame.evaluate(axeSource);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      resultTypes: ["violations"],
    }),
  );
  return found.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id} (${rule.impact}): ${rule.help}: ${node.target.join(" ")}`),
  );
}

/** Is the page wider than its window? Then somebody must scroll sideways to read it. */
export async function overflows(page) {
  return page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    return [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > room + 1)
      .slice(0, 5)
      .map((element) => `${element.tagName.toLowerCase()}.${element.className}`);
  });
}

/** Targets smaller than 24 px, the least that WCAG 2.2 AA takes (links inside a sentence may be). */
export async function smallTargets(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll("button, input:not([type=hidden]), select, textarea, a[href]")]
      .filter((element) => element.checkVisibility() && getComputedStyle(element).display !== "inline")
      // A box inside its label is hit with the whole label.
      .map((element) => [element, (element.closest("label") ?? element).getBoundingClientRect()])
      .filter(([, box]) => box.width > 1 && (box.width < 24 || box.height < 24))
      .map(([element, box]) => `${element.outerHTML.slice(0, 80)} ${box.width}x${box.height}`),
  );
}

/** A picture of the whole page in target/screenshots/<name>-<width>.png. */
export async function picture(page, name) {
  await mkdir(pictures, { recursive: true });
  const path = join(pictures, `${name}-${page.viewportSize().width}.png`);
  await page.screenshot({ path, fullPage: true, animations: "disabled" });
  return path;
}

/** Looks at one page at both widths: a picture, axe, sideways scrolling, small targets. */
export async function inspect(page, name) {
  const before = page.viewportSize();
  const wrong = [];
  for (const size of Object.values(WIDTHS)) {
    await page.setViewportSize(size);
    await picture(page, name);
    const say = (what) => wrong.push(`${name} at ${size.width}: ${what}`);
    (await axe(page)).forEach(say);
    (await overflows(page)).forEach((element) => say(`wider than the window: ${element}`));
    (await smallTargets(page)).forEach((element) => say(`too small to hit: ${element}`));
  }
  await page.setViewportSize(before);
  return wrong;
}
