// A partner's way through the console, in the order in which it is gone: from an empty console to a connection that is revoked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look, press, says, text, type, visit } from "./browser.mjs";
import { open, push } from "./world.mjs";

let world, walk;

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

test("nothing was wrong with any page", () => {
  assert.deepEqual(walk.faults, []);
});
