// A browser and what is looked at on every page: that it is accessible, small, and loads nothing from anywhere else.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Most bytes of a page with everything that it loads. */
const MOST_BYTES = 100_000;

/** Opens a browser on `base`. `seen` holds a line for each page that was looked at. */
export async function launch(base) {
  const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
  // Without a sandbox of its own: CI runs as root.
  const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox"], protocolTimeout: 60_000 });
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  const seen = [];
  const faults = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) faults.push(`loads ${request.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("status of 4")) faults.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
  return { browser, page, base, seen, faults };
}

/** Looks at the page as it is: a picture wide and narrow, and every fault that axe-core calls serious or critical. */
export async function look(walk, name) {
  const { page, seen, faults } = walk;
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, impact, nodes } of violations) {
    const found = `${name}: ${impact} ${id}: ${nodes[0].html.slice(0, 200)}`;
    if (impact === "serious" || impact === "critical") faults.push(found);
    else console.log(`    axe: ${found}`);
  }
  const file = join(process.env.PICTURES, name);
  await page.screenshot({ path: `${file}.png`, fullPage: true });
  await page.setViewport({ width: 390, height: 844 });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wider > 0) faults.push(`${name}: ${wider} pixels wider than a phone`);
  await page.screenshot({ path: `${file}.phone.png`, fullPage: true });
  await page.setViewport({ width: 1280, height: 900 });
  const bytes = await weight(page);
  if (bytes > MOST_BYTES) faults.push(`${name}: ${bytes} bytes`);
  seen.push({ name, bytes, axe: violations.length });
}

/** Bytes of the page and everything that it has loaded, as they come over the wire where nothing is cached; headers left out. */
function weight(page) {
  return page.evaluate(() => {
    const loaded = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    return loaded.reduce((bytes, { encodedBodySize }) => bytes + encodedBodySize, 0);
  });
}

/** Goes to a path and looks at it. */
export async function visit(walk, path, name) {
  await walk.page.goto(walk.base + path, { waitUntil: "networkidle0" });
  await look(walk, name);
}

/** Most presses of the Tab key until something is reached. */
const MOST_TABS = 400;

/** What is called `name` and can be used: headings may have the same name. */
async function usable(walk, name) {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 50))) {
    for (const handle of await walk.page.$$(`::-p-aria(${name})`)) {
      if (await handle.evaluate((element) => element.matches("a[href], button, input, select, textarea, summary"))) return handle;
    }
  }
  throw new Error(`${walk.page.url()}: nothing that can be used is called "${name}"`);
}

/** Reaches what is called `name` by the Tab key alone, as somebody without a mouse does. */
async function reach(walk, name) {
  const { page } = walk;
  const handle = await usable(walk, name);
  for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
    if (await handle.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${page.url()}: the Tab key does not reach "${name}"`);
}

/** Presses what is called `name`, a button or a link, and waits for the page that it leads to. */
export async function press(walk, name) {
  await reach(walk, name);
  await Promise.all([walk.page.waitForNavigation({ waitUntil: "networkidle0" }), walk.page.keyboard.press("Enter")]);
}

/** Presses what changes a part of the page, and waits for what it then says. */
export async function change(walk, name, pattern) {
  await reach(walk, name);
  await walk.page.keyboard.press("Enter");
  await says(walk, pattern);
}

/** Ticks or unticks a box. */
export async function tick(walk, name) {
  await reach(walk, name);
  await walk.page.keyboard.press("Space");
}

/** Types into the field with the label `label`, in place of what stood there. */
export async function type(walk, label, text) {
  await reach(walk, label);
  await walk.page.keyboard.down("Control");
  await walk.page.keyboard.press("a");
  await walk.page.keyboard.up("Control");
  await walk.page.keyboard.type(text);
}

/** The text of the page's middle. */
export function text(walk) {
  return walk.page.$eval("main", (main) => main.innerText);
}

/** Waits until the page's middle says something. */
export async function says(walk, pattern, timeout = 60_000) {
  await walk.page.waitForFunction(
    (source) => new RegExp(source).test(document.querySelector("main")?.innerText ?? ""),
    { timeout }, pattern.source,
  );
}
