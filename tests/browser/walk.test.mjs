// A partner's way through the console, in the order in which it is gone: from an empty console to a connection that is revoked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { click, launch, look, press, says, text, type, visit } from "./browser.mjs";
import { open, push } from "./world.mjs";

let world, walk, connection;
const at = (room) => `/console/connections/${connection}/${room}`;

before(async () => {
  world = await open(300);
  walk = await launch(world.base);
});

after(async () => {
  await walk?.browser.close();
  await world?.close();
  for (const { name, bytes, axe } of walk?.seen ?? []) console.log(`${name.padEnd(28)} ${String(bytes).padStart(7)} bytes  ${axe} minor`);
});

test("a link signs in, once", async () => {
  await walk.page.goto(`${walk.base}/console`);
  assert.match(walk.page.url(), /sign-in$/);
  await look(walk, "sign-in");
  await walk.page.goto(world.link);
  assert.match(await text(walk), /No PSA is connected yet/);
  await look(walk, "home-empty");
  const again = await walk.page.goto(world.link);
  assert.equal(again.status(), 410);
  await walk.page.goto(`${walk.base}/console`);
});

test("a PSA is connected; what was typed stays where it was refused", async () => {
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
  await click(walk, "Test the connection", /lets us in/);
  await look(walk, "connection-tested");
});

test("each page of an empty connection says what to do next", async () => {
  for (const room of ["products", "companies", "preview", "runs", "findings", "tickets"]) await visit(walk, at(room), `empty-${room}`);
  for (const place of ["usage", "sources", "settings"]) await visit(walk, `/console/${place}`, `empty-${place}`);
});

test("nothing was wrong with any page", () => {
  assert.deepEqual(walk.faults, []);
});
