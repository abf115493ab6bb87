// Progressive enhancement only: every action is a form and every step a link that also work without
// this file. Here a form is posted by fetch, and the page that comes back takes the place of this one.
"use strict";
const $ = (s, el = document) => el.querySelector(s);
const $$ = (s, el = document) => [...el.querySelectorAll(s)];
const narrow = matchMedia("(max-width: 60rem)");
const remembered = (key, value) => {
  try { return value === undefined ? localStorage[key] : (localStorage[key] = value); } catch { return undefined; }
};
let shownAt = 0;

// ---- taking over a page that came back ----
const parse = html => new DOMParser().parseFromString(html, "text/html");

function take(page, address, push) {
  const next = $("#main", page);
  if (!next) return location.assign(address);
  const before = $(".draft")?.dataset.id;
  turned += 1;
  document.title = page.title;
  $("#main").replaceWith(next);
  const menu = $("#menu", page);
  if (menu && $("#menu")) $("#menu").replaceWith(menu);
  for (const toast of $$(".toast", page)) addToast(toast);
  const news = page.body.dataset.news;
  if (news !== document.body.dataset.news) { document.body.dataset.news = news; listen(); }
  if (push && address !== location.href) history.pushState(null, "", address); else history.replaceState(null, "", address);
  settle();
  if ($(".draft")?.dataset.id !== before) shownAt = performance.now();
  const goal = location.hash && document.getElementById(location.hash.slice(1)) || $(".draft") || $("[data-focus]") || $("#main");
  goal.focus({ preventScroll: !location.hash });
  if (location.hash) goal.scrollIntoView(); else scrollTo({ top: 0, behavior: "instant" });
}

function say(text) {
  const toast = document.createElement("div"), p = document.createElement("p");
  toast.className = "toast";
  p.textContent = text;
  toast.dataset.seconds = "10";
  toast.append(p);
  addToast(toast);
}

function addToast(toast) {
  const box = $("#toasts");
  const all = $$(".toast", box);
  if (all.length >= 3) all[0].remove();
  // A narrow window shows the last one only: a mere notice does not hide the way back.
  const undo = $(".toast:has(form)", box);
  if (undo && !$("form", toast)) undo.before(toast); else box.append(toast);
  setTimeout(() => toast.remove(), 1000 * Number(toast.dataset.seconds || 10));
}

async function open(address, options, push) {
  let answer, html;
  try {
    answer = await fetch(address, { credentials: "same-origin", ...options });
    html = await answer.text();
  } catch {
    return say(document.body.dataset.offline);
  }
  const page = parse(html);
  if (!$("#menu", page) !== !$("#menu")) return location.assign(answer.redirected || !options.method ? answer.url : "/inloggen"); // signed out meanwhile
  take(page, answer.url, push);
}

document.addEventListener("submit", e => {
  const form = e.target, button = e.submitter;
  if ((button?.getAttribute("formmethod") || form.getAttribute("method")) !== "post" || "plain" in form.dataset) return;
  e.preventDefault();
  if (form.dataset.busy) return; // a double click is one click
  form.dataset.busy = "yes";
  const body = new URLSearchParams(new FormData(form, button));
  open(button?.getAttribute("formaction") || form.getAttribute("action"), { method: "POST", body }, true).finally(() => delete form.dataset.busy);
});

addEventListener("popstate", () => open(location.href, {}, false));

// ---- edit in place, with honest SMS parts ----
const GSM = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà^{}\\[~\]|€]*$/;
function parts(text) {
  const gsm = GSM.test(text), n = text.length + (gsm ? (text.match(/[\^{}\\[~\]|€]/g) || []).length : 0);
  const [one, many] = gsm ? [160, 153] : [70, 67];
  return { n, parts: n <= one ? 1 : Math.ceil(n / many), gsm };
}
function count(area) {
  const out = document.getElementById(area.getAttribute("aria-describedby")), set = area.form?.dataset;
  if (!out || !set?.count) return;
  const c = parts(area.value);
  if (set.medium !== "sms") return void (out.textContent = set.count.replace("{n}", area.value.length));
  const euros = (c.parts * Number(set.partPrice) / 1000).toFixed(3).replace(/0$/, "");
  const price = "€ " + (document.documentElement.lang === "nl" ? euros.replace(".", ",") : euros);
  out.textContent = set.countSms.replace("{n}", c.n).replace("{parts}", c.parts).replace("{price}", price) + (c.gsm ? "" : " " + set.special);
}
document.addEventListener("input", e => { if (e.target.matches("textarea")) count(e.target); });
function edit(on) {
  const draft = $(".draft"), form = $(".edit", draft ?? document);
  if (!form) return false;
  form.hidden = !on;
  $(".screen", draft).hidden = on;
  draft.classList.toggle("editing", on);
  if (on) { const area = $("textarea", form); count(area); area.focus(); } else draft.focus();
  return true;
}

document.addEventListener("click", e => {
  for (const o of $$("details.drop[open]")) if (!o.contains(e.target)) o.open = false;
  if (e.ctrlKey || e.metaKey || e.shiftKey) return;
  const link = e.target.closest("a[data-swap]");
  if (link) { e.preventDefault(); return open(link.href, {}, true); }
  const t = e.target.closest("[data-do]");
  if (!t) return;
  const what = t.dataset.do;
  if (what === "open") document.getElementById(t.dataset.for)?.showModal();
  if (what === "edit" && edit(true)) e.preventDefault();
  if (what === "edit-off" && edit(false)) e.preventDefault();
});

// ---- keys: single letters, so they can be switched off (WCAG 2.1.4) ----
document.addEventListener("change", e => {
  if (e.target.id === "keys-on") remembered("keys", e.target.checked ? "on" : "off");
});
document.addEventListener("keydown", e => {
  if (e.key === "Escape") {
    for (const o of $$("details.drop[open]")) { o.open = false; $("summary", o).focus(); }
    if (e.target.closest?.(".edit")) edit(false);
    return;
  }
  if ((e.ctrlKey || e.metaKey) && e.key === "Enter" && e.target.form) return e.target.form.requestSubmit($("button.main", e.target.form));
  if (e.ctrlKey || e.metaKey || e.altKey || $("dialog[open]") || $("details.drop[open]")) return;
  // Nobody types in a box to tick: it keeps the focus for a moment after the help has closed over it.
  if (e.target.matches("input:not([type=checkbox]), textarea, select") || remembered("keys") === "off") return;
  const k = e.key.toLowerCase();
  if (e.repeat && !"jk".includes(k)) return;
  if (k === "?" && $("#help")) { e.preventDefault(); return $("#help").showModal(); }
  if (k === "/" && $(".find input")) { e.preventDefault(); return $(".find input").focus(); }
  if (k.length !== 1 || !"gblvnioajkzs".includes(k)) return;
  const target = k === "z" ? $$('.toast [data-key="z"]').at(-1) : $(`${k === "s" ? ".together" : ".draft"} [data-key="${k}"]`);
  if (!target) return;
  e.preventDefault();
  // A double press never decides a draft that nobody has seen.
  if ("jkzs".includes(k) || performance.now() - shownAt > 350) target.click();
});

// ---- live: the server says which parts are old, the page fetches them again ----
let live, soon, looking = false, turned = 0, stale = new Set(), waiting = new Set();
// A browser keeps six connections to one host, over all its tabs: a page that nobody sees gives its back.
function listen() {
  live?.close();
  live = undefined;
  const address = document.body.dataset.news;
  if (!address || document.hidden) return;
  live = new EventSource(address);
  live.addEventListener("deel", e => look(e.data.split(" ")));
  // Connected again after a break: what was said meanwhile was missed.
  let first = true;
  live.addEventListener("open", () => { if (!first) lookAtAll(); first = false; });
}
// Several changes of one moment are one look. One look at a time: of two, the older page could come last.
// What a form in flight brings back is looked at after it.
function look(ids) {
  for (const id of ids) stale.add(id);
  clearTimeout(soon);
  soon = setTimeout(() => {
    if (looking || $("form[data-busy]")) return look([]);
    const now = [...stale];
    stale.clear();
    looking = true;
    refresh(now).finally(() => { looking = false; });
  }, 150);
}
const lookAtAll = () => look($$("[id$=-deel], #schrijf, #clock, #people, #talk").map(part => part.id));
document.addEventListener("visibilitychange", () => { listen(); if (!document.hidden) lookAtAll(); });
// Where the page itself put the focus (a heading, a draft) nobody is typing: it goes back there.
const placed = () => document.activeElement.matches('[tabindex="-1"]') ? document.activeElement.id : "";
const busyIn = part => part.contains(document.activeElement) && document.activeElement !== document.body && !placed()
  || $("details.drop[open]", part);
async function refresh(ids) {
  const here = ids.filter(id => document.getElementById(id));
  if (!here.length) return;
  const address = location.href, turn = turned;
  let page;
  try {
    const answer = await fetch(address, { credentials: "same-origin", signal: AbortSignal.timeout(15_000) });
    page = parse(await answer.text());
  } catch {
    return void setTimeout(look, 5_000, here);
  }
  // A form went out meanwhile, or another page took the place: this one is from before it.
  if ($("form[data-busy]") || turn !== turned) return look(here);
  const shown = $(".draft", page)?.dataset.id;
  for (const id of here) {
    const old = document.getElementById(id), fresh = page.getElementById(id);
    if (!old || !fresh || old.outerHTML === fresh.outerHTML) continue;
    if (busyIn(old)) {
      if (!waiting.has(id)) say(document.body.dataset.stale);
      waiting.add(id);
      continue;
    }
    waiting.delete(id);
    const down = old.scrollTop + old.clientHeight >= old.scrollHeight - 40;
    const focus = old.contains(document.activeElement) && placed();
    old.replaceWith(fresh);
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    if (fresh.classList.contains("scroll") && down) fresh.scrollTop = fresh.scrollHeight;
  }
  // Another draft may be open now: it is that one that this page listens at.
  if ($(".draft")?.dataset.id === shown && page.body.dataset.news !== document.body.dataset.news) { document.body.dataset.news = page.body.dataset.news; listen(); }
  const menu = $("#menu"), freshMenu = page.getElementById("menu");
  if (menu && freshMenu && !menu.contains(document.activeElement)) menu.replaceWith(freshMenu);
}
document.addEventListener("focusout", () => setTimeout(() => { if (waiting.size) look([...waiting]); }, 200));

// ---- a page is in place ----
function settle() {
  if (narrow.matches) for (const o of $$(".queue details")) o.open = false;
  const toggle = $("#keys-on");
  if (toggle) toggle.checked = remembered("keys") !== "off";
  for (const area of $$("textarea[aria-describedby]")) count(area);
  for (const scroller of $$(".scroll")) scroller.scrollTop = scroller.scrollHeight;
  const area = $(".draft.editing textarea");
  if (area) { edit(true); }
  if (!narrow.matches) $('.queue a[aria-current]')?.scrollIntoView({ block: "nearest" });
}
document.documentElement.classList.add("script");
for (const toast of $$("#toasts .toast")) addToast(toast);
settle();
listen();
