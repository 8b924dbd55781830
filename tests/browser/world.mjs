// The world of the walk: a simulated Autotask with an MSP's customers, the service on an empty data folder, and a vendor's
// back end that pushes usage. Each process is ended by its id.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const binaries = process.env.BINARIES;
const PARTNER = "my-msp";

/** Starts `program` and waits for a line of its output that matches each of `patterns`; answers with what they caught. */
async function started(program, args, from, patterns) {
  const child = spawn(join(binaries, program), args, { stdio: ["ignore", "pipe", "pipe"] });
  // Read to its end: a full pipe would stop the program.
  child[from === "stdout" ? "stderr" : "stdout"].resume();
  const lines = createInterface({ input: child[from] });
  const found = {};
  await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code}`)));
    lines.on("line", (line) => {
      for (const [name, pattern] of Object.entries(patterns)) found[name] ??= line.match(pattern)?.[1];
      if (Object.keys(patterns).every((name) => found[name])) resolve();
    });
  });
  return { child, found };
}

async function ended(child) {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

/** Opens the world with `companies` customers. */
export async function open(companies) {
  const data = mkdtempSync(join(tmpdir(), "tallyline-walk-"));
  const psa = await started("simulators", ["--listen", "127.0.0.1:0", "--companies", String(companies)], "stdout", {
    base: /^autotask=(.+)$/, username: /^username=(.+)$/, secret: /^secret=(.+)$/, code: /^integration_code=(.+)$/,
  });
  const service = await started(
    "tallyline",
    ["serve", "--data", data, "--port", "0", "--partner", PARTNER, "--psa-base", `autotask=${psa.found.base}`],
    "stderr",
    { base: /^tallyline: (http:\S+) \(data/ },
  );
  const base = service.found.base;
  const printed = (command, ...args) =>
    execFileSync(join(binaries, "tallyline"), [command, "--data", data, "--partner", PARTNER, ...args], { encoding: "utf8" }).trim();
  const token = printed("token", "--scope", "tallyline/write", "--scope", "tallyline/usage");
  const link = printed("link", "--base", base);

  const api = async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  };
  const all = async (path) => {
    const items = [];
    for (let cursor = ""; cursor !== null; ) {
      const page = await api("GET", `${path}${path.includes("?") ? "&" : "?"}limit=100${cursor && `&cursor=${cursor}`}`);
      items.push(...page.items);
      cursor = page.next_cursor;
    }
    return items;
  };
  /** What somebody does in the PSA's own pages. */
  const inThePsa = async (method, path, body) => {
    const answer = await fetch(`${psa.found.base}/__sim/${path}`, { method, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  };
  const close = async () => {
    await ended(service.child);
    await ended(psa.child);
    rmSync(data, { recursive: true, force: true });
  };
  return { base, link, psa: psa.found, api, all, inThePsa, close };
}

/** Pushes a complete snapshot as of now: of each account a company of the same name, with what `quantity(index)` says. */
export async function push(world, accounts, product, quantity, name = (account) => account.name) {
  const as_of = new Date().toISOString().replace(/\.\d+/, "");
  const records = accounts.map((account, index) => ({
    company: `org-${account.id}`, company_name: name(account, index), product, quantity: quantity(index),
  }));
  await world.api("PUT", `/v1/usage/snapshots/${product}-${Date.now()}`, { as_of, complete: true, records });
}
