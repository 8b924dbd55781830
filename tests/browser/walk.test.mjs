// A partner's way through the console, in the order in which it is gone: from an empty console to a connection that is revoked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { change, launch, look, press, says, text, tick, type, visit } from "./browser.mjs";
import { open, push } from "./world.mjs";

let world, walk, connection, accounts, approved;
const COMPANIES = 300;
/** What is counted of a company. */
const counted = (index) => 5 + (index % 40);
/** What the vendor calls a company: some a little differently than the PSA, and one by a name that nobody knows. */
const named = ({ name }, index) => {
  if (index === 3) return "Unheard of Ltd";
  return index % 25 === 4 ? name.split(" ")[0] : name;
};
/** The first box of a line that can be chosen. */
const box = () => walk.page.$eval("main table input[type=checkbox]", (input) => input.ariaLabel ?? input.labels[0].innerText);
const at = (room) => `/console/connections/${connection}${room && `/${room}`}`;

/** A step of the way. After one that failed there is no way on. */
let lost = false;
const step = (name, go) => test(name, async (context) => {
  if (lost) return context.skip("after a step that failed");
  lost = true;
  await go();
  lost = false;
});

before(async () => {
  world = await open(COMPANIES);
  walk = await launch(world.base);
});

after(async () => {
  await walk?.browser.close();
  await world?.close();
  for (const { name, bytes, axe } of walk?.seen ?? []) console.log(`${name.padEnd(28)} ${String(bytes).padStart(7)} bytes  ${axe} minor`);
});

step("a link signs in, once", async () => {
  await walk.page.goto(`${walk.base}/console`);
  assert.match(walk.page.url(), /sign-in$/);
  await look(walk, "sign-in");
  await walk.page.goto(world.link);
  await look(walk, "link");
  await press(walk, "Sign in");
  assert.match(await text(walk), /No PSA is connected yet/);
  await look(walk, "home-empty");
  await walk.page.goto(world.link);
  await press(walk, "Sign in");
  assert.match(await text(walk), /This link was used/);
  await look(walk, "link-used");
  await walk.page.goto(`${walk.base}/console`);
});

step("a PSA is connected; what was typed stays where it was refused", async () => {
  await press(walk, "Connect a PSA");
  await look(walk, "connect-choice");
  await press(walk, "Autotask PSA");
  await look(walk, "connect");
  await type(walk, "User name", world.psa.username);
  await type(walk, "Secret", "not-the-secret");
  await type(walk, "Tracking identifier", world.psa.code);
  await type(walk, "Name", "Our Autotask");
  await press(walk, "Try it and connect");
  await look(walk, "connect-refused");
  assert.equal(await walk.page.$eval("#name", (field) => field.value), "Our Autotask");
  assert.equal(await walk.page.$eval("#secret", (field) => field.value), "");
  await type(walk, "Secret", world.psa.secret);
  await type(walk, "Tracking identifier", world.psa.code);
  await press(walk, "Try it and connect");
  connection = new URL(walk.page.url()).pathname.split("/")[3];
  await look(walk, "connection");
  await change(walk, "Test the connection", /lets us in/);
  await look(walk, "connection-tested");
});

step("each page of an empty connection says what to do next", async () => {
  for (const room of ["products", "companies", "preview", "runs", "findings", "tickets"]) await visit(walk, at(room), `empty-${room}`);
  for (const place of ["usage", "sources", "settings"]) await visit(walk, `/console/${place}`, `empty-${place}`);
});

step("a product is mapped to a service of the catalogue", async () => {
  const all = await world.all(`/v1/connections/${connection}/catalog/accounts`);
  accounts = all.filter(({ name }) => name !== "Nordwind IT");
  assert.equal(accounts.length, COMPANIES);
  await push(world, accounts, "edr", counted, named);
  await visit(walk, at("products"), "products");
  await press(walk, "Map edr");
  await type(walk, "Part of its name in the catalogue", "EDR");
  await says(walk, /Managed EDR/);
  await look(walk, "product-service");
  await press(walk, "Managed EDR (per agent)");
  await press(walk, "Save");
  await visit(walk, at("products"), "products-mapped");
  assert.match(await text(walk), /edr/);
});

step("companies are mapped by accepting what is likely", async () => {
  await visit(walk, at("companies"), "companies");
  await press(walk, "Find likely accounts");
  await says(walk, /Accept all \d+ sure ones/);
  await look(walk, "suggestions");
  const sure = Number((await text(walk)).match(/Accept all (\d+) sure ones/)[1]);
  await press(walk, `Accept all ${sure} sure ones`);
  await look(walk, "suggestions-sure");
  await press(walk, `Map ${sure} companies`);
  await look(walk, "suggestions-accepted");
  assert.match(await text(walk), new RegExp(`${sure} companies were mapped`));
  await press(walk, "Look for the others again");
  await says(walk, /Accept/);
  const left = await walk.page.$$eval("button[aria-label^='Accept for']", (buttons) => buttons.map((button) => button.ariaLabel));
  assert.ok(left.length > 0, "some are left to be looked at one by one");
  await change(walk, left[0], /mapped/);
  await look(walk, "suggestion-accepted");
  await visit(walk, at("companies"), "companies-mapped");
  await type(walk, "Name or id", accounts[7].name.slice(0, 6));
  await says(walk, new RegExp(accounts[7].name.slice(0, 6)));
  await visit(walk, at(`companies/org-${accounts[7].id}`), "company");
});

step("a preview shows money, and is approved once the connection is on", async () => {
  await walk.page.goto(walk.base + at("preview"));
  await press(walk, "Make a preview");
  await says(walk, /What would change/);
  await look(walk, "preview-off");
  assert.match(await text(walk), /switched off/);
  await walk.page.goto(walk.base + at(""));
  await press(walk, "Switch on");
  await look(walk, "switch-on");
  await press(walk, "Switch on");
  await walk.page.goto(walk.base + at("preview"));
  await tick(walk, await box());
  await press(walk, "Approve chosen");
  await look(walk, "approve-chosen");
  await press(walk, "Approve and write");
  await says(walk, /succeeded|partial/, 120_000);
  await look(walk, "run-of-one");
  await walk.page.goto(walk.base + at("preview"));
  await press(walk, "Approve all that waits");
  await look(walk, "approve-all");
  await press(walk, "Approve and write");
  await says(walk, /succeeded|partial/, 120_000);
  await look(walk, "run-approved");
  approved = new URL(walk.page.url()).pathname.split("/").pop();
});

step("a sync finds nothing left to do", async () => {
  await walk.page.goto(walk.base + at("runs"));
  await look(walk, "runs");
  await press(walk, "Sync now");
  await says(walk, /succeeded|partial/, 120_000);
  await look(walk, "run");
});

step("a line that fails says why, and what repairs it", async () => {
  const ended = accounts[20];
  const [contract] = await world.all(`/v1/connections/${connection}/catalog/contracts?account_id=${ended.id}`);
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  await world.inThePsa("POST", `contracts/${contract.id}/end`, { date: yesterday });
  await push(world, accounts, "edr", (index) => counted(index) + (index % 30 === 1 ? 2 : 0), named);
  await walk.page.goto(walk.base + at("runs"));
  await press(walk, "Sync now");
  await says(walk, /succeeded|partial/, 120_000);
  await look(walk, "run-failed-line");
  const told = await text(walk);
  assert.match(told, /ended on/);
  assert.match(told, /Choose the contract that follows it/);
  await press(walk, "Choose another contract");
  await look(walk, "repair");
  assert.match(await text(walk), /Choose among the account's contracts/);
  await visit(walk, "/console", "home");
  await visit(walk, at("findings"), "findings");
  const [line] = await world.all(`/v1/runs/${approved}/lines?status=updated`);
  await visit(walk, at(`lines/${line.line_id}`), "line");
});

step("the pages beside them", async () => {
  for (const place of ["usage", "usage?product=edr", "sources", "settings", "connections"]) {
    await visit(walk, `/console/${place}`, place.replace(/\W/g, "-"));
  }
  for (const room of ["policy", "settings", "credentials", "preflight"]) await visit(walk, at(room), `connection-${room}`);
  await visit(walk, at("tickets?edit=yes"), "tickets");
});

step("a connection is switched off, and revoked", async () => {
  await walk.page.goto(walk.base + at(""));
  await press(walk, "Switch off");
  await look(walk, "switch-off");
  await press(walk, "Switch off");
  assert.match(await text(walk), /switched off/);
  await press(walk, "Revoke the connection");
  await look(walk, "revoke");
  await press(walk, "Revoke Our Autotask for good");
  await look(walk, "revoked");
  assert.equal((await world.api("GET", `/v1/connections/${connection}`)).status, "revoked");
});

step("whoever signs out is out", async () => {
  await press(walk, "Sign out");
  await walk.page.goto(`${walk.base}/console`);
  assert.match(walk.page.url(), /sign-in$/);
});

test("nothing was wrong with any page", () => {
  assert.deepEqual(walk.faults, []);
});
