// The TypeScript client against the scripted server (tests/clients/servers), whose address
// typescript_test.py gives, with the built package in TIDEMARK_TEST_PACKAGE.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

const require = createRequire(import.meta.url);
const tidemark = require(process.env.TIDEMARK_TEST_PACKAGE);
const { connect, endpoint, SyncStatus, TidemarkError } = tidemark;
const address = process.env.TIDEMARK_TEST_ADDRESS;

let producers = 0;

// A client, and a push of a producer that no other test has.
async function using(work, options = {}) {
  const client = connect(address, options);
  try {
    await work(client, `p${(producers += 1)}`);
  } finally {
    client.close();
  }
}

async function pushed(client, name) {
  return JSON.parse(await client.stateExport(name));
}

async function fails(code, promise) {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof TidemarkError, String(error?.stack));
    assert.equal(error.code, code, error.message);
    return error;
  }
  return assert.fail(`did not fail with ${code}`);
}

async function all(entries) {
  const list = [];
  for await (const entry of entries) list.push(entry);
  return list;
}

test("calls, pages and errors", () => using(async (client) => {
  const applied = await client.apply("name: orders\n", { dryRun: true });
  assert.deepEqual([applied.connection.name, applied.changed], ["orders", false]);
  const wrong = await fails("INVALID_ARGUMENT", client.apply("nothing"));
  assert.equal(wrong.reason, "BAD_CONNECTION");
  assert.deepEqual(wrong.fields.map((field) => field.field), ["yaml"]);
  const names = (await all(client.connections())).map((connection) => connection.name);
  assert.deepEqual(names, [0, 1, 2, 3, 4].map((i) => `connection_${i}`));
  const busy = await fails("FAILED_PRECONDITION", client.startSync("busy"));
  assert.deepEqual([busy.retryAfterMs, busy.metadata.sync_id], [250, "sync_7"]);
  assert.equal((await client.stateRollback("orders", 2n)).moves[0].what, "as 2 was");
  assert.deepEqual((await all(client.stateLog("orders"))).map((v) => v.version), [4n, 3n, 2n, 1n]);
  assert.equal((await client.stateShow("orders", { at: 2 }))[0].version.version, 2n);
  assert.equal((await client.report({ connection: "orders" })).report.metadata.syncId,
    "last of orders");
  assert.deepEqual((await all(client.deadLetters("orders", { table: "users" })))
    .map((letter) => letter.table), ["users"]);
}));

test("a lost answer is asked for again under the same key", () => using(async (client) => {
  const first = await client.startSync("flaky");
  const second = await client.startSync("orders");
  assert.equal(first.connection, "flaky");
  assert.notEqual(first.syncId, second.syncId);
}));

test("a server that is not there is unavailable in time", async () => {
  const client = connect("127.0.0.1:1", { timeoutMs: 400 });
  await assert.rejects(client.server(), (error) =>
    ["UNAVAILABLE", "DEADLINE_EXCEEDED"].includes(error.code));
  client.close();
});

test("a watch goes on behind its last event after cuts", () => using(async (client) => {
  const events = await all(client.watch("sync_1"));
  assert.deepEqual(events.map((event) => event.sequence),
    Array.from({ length: 10 }, (_, i) => BigInt(i + 1)));
  const old = await fails("OUT_OF_RANGE", all(client.watch("sync_old", { afterSequence: 3n })));
  assert.equal(old.metadata.oldest, "41");
  assert.equal((await client.wait("sync_1")).status, SyncStatus.COMPLETED);
  for await (const event of client.watch("sync_1")) {
    if (event.sequence === 2n) break; // ends the call
  }
}));

test("token and TLS", async () => {
  await using(async (client) => {
    assert.equal((await client.server()).principal, "Bearer tm_a_b");
  }, { token: "tm_a_b" });
  const secure = process.env.TIDEMARK_TEST_TLS_ADDRESS;
  const trusting = connect(secure, { ca: process.env.TIDEMARK_TEST_CA });
  assert.equal((await trusting.server()).version, "scripted");
  trusting.close();
  const doubting = connect(`grpcs://${secure}`, { timeoutMs: 500 });
  await assert.rejects(doubting.server());
  doubting.close();
});

test("other machines are never spoken to in the clear", () => {
  assert.deepEqual(endpoint("unix:/x"), { target: "unix:/x", tls: false, local: true });
  assert.equal(endpoint("[::1]:80").tls, false);
  assert.equal(endpoint("127.0.0.2:80").tls, false);
  assert.equal(endpoint("example.org:443").tls, true);
  assert.equal(endpoint("127.0.0.1.example.org:443").tls, true);
  for (const [wrong, options, words] of [
    ["grpc://example.org:443", {}, /without TLS only this machine/],
    ["http://localhost:1", {}, /unknown kind of address/],
    ["localhost", {}, /there is no port/],
    ["unix:/x", { ca: "x" }, /a unix socket has no TLS/],
    ["localhost:1", { cert: "x" }, /cert and key come together/],
  ]) {
    assert.throws(() => connect(wrong, options), words);
  }
});

test("everything is durable after flush", () => using(async (client, producer) => {
  const push = await client.push("plain", producer);
  await push.define({ name: "orders", columns: [
    { name: "id", type: "LONG", key: true }, { name: "total", type: "decimal(12, 2)" }] });
  for (let id = 0; id < 2500; id += 1) await push.upsert("orders", { id });
  await push.update("orders", { id: 1 }, { before: { id: 0 } });
  await push.delete("orders", { id: 2 });
  await push.truncate("users", { schema: "shop" });
  assert.ok((await push.flush()) > 0n);
  const held = await pushed(client, `plain/${producer}`);
  assert.deepEqual([held.rows.length, held.durable], [2503, 4]);
  assert.deepEqual(held.rows[2500],
    ["update", "orders", { id: ["int64", 1] }, { id: ["int64", 0] }]);
  assert.deepEqual(held.tables, [["orders", [["id", "LONG", true], ["total", "DECIMAL", false]]]]);
  await push.close();
  await fails("FAILED_PRECONDITION", push.upsert("orders", { id: 1 }));
}));

for (const name of ["cut-3", "cut-4"]) {
  test(`cuts neither lose nor double a row (${name})`, () => using(async (client, producer) => {
    const push = await client.push(name, producer);
    await push.define({ name: "orders", columns: [{ name: "id", key: true }] });
    for (let id = 0; id < 12_000; id += 1) await push.upsert("orders", { id });
    await push.checkpoint({ n: 12_000 });
    await push.close();
    const held = await pushed(client, `${name}/${producer}`);
    assert.equal(held.rows.length, 12_000);
    held.rows.forEach((row, i) => assert.equal(row[2].id[1], i));
    assert.ok(held.streams > 3);
    assert.equal(held.state, '{"n":12000}');
  }));
}

test("a cut that stays is an error", () => using(async (client, producer) => {
  const push = await client.push("cut-1", producer, { giveUpAfterMs: 500 });
  await push.upsert("orders", { id: 1 });
  await fails("UNAVAILABLE", push.flush());
}));

test("the next stream goes on from the state", () => using(async (client, producer) => {
  let push = await client.push("explicit", producer, { explicitCheckpoints: true });
  await push.upsert("orders", { id: 1 });
  await fails("FAILED_PRECONDITION", push.flush());
  await push.checkpoint("one");
  await push.flush();
  await push.upsert("orders", { id: 2 }); // of no checkpoint: never durable
  await push.abort();
  push = await client.push("explicit", producer, { explicitCheckpoints: true });
  assert.equal(push.state.toString(), "one");
  await push.upsert("orders", { id: 3 });
  await push.checkpoint("two");
  await push.close();
  const held = await pushed(client, `explicit/${producer}`);
  assert.deepEqual([held.rows.map((row) => row[2].id[1]), held.state], [[1, 3], "two"]);
}));

test("bad rows come back and the rest goes on", () => using(async (client, producer) => {
  const push = await client.push("bad", producer);
  for (const id of [1, null, 3]) await push.upsert("orders", { id, name: "x" });
  await push.close();
  assert.equal(push.rowErrorCount, 1);
  assert.deepEqual(push.rowErrors[0], { table: "orders", row: { id: null, name: "x" }, code: 3,
    reason: "the key is NULL", sequence: 1n, index: 1 });
  assert.equal((await pushed(client, `bad/${producer}`)).rows.length, 2);
}));

test("errors at the start, pauses and fences", () => using(async (client, producer) => {
  await fails("PERMISSION_DENIED", client.push("denied", producer));
  const busy = await client.push("busy", producer);
  await busy.close();
  assert.equal((await pushed(client, `busy/${producer}`)).streams, 2);
  const first = await client.push("plain", producer);
  const second = await client.push("plain", producer);
  await second.upsert("orders", { id: 2 });
  await second.flush();
  await first.upsert("orders", { id: 1 });
  assert.equal((await fails("ABORTED", first.flush())).reason, "FENCED");
  await second.close();
}));

test("unacknowledged messages are bounded", () => using(async (client, producer) => {
  const push = await client.push("hold", producer, { maxUnacknowledgedBytes: 1_000_000 });
  let rows = 0;
  const filling = (async () => {
    for (;; rows += 1) await push.upsert("orders", { id: rows, text: "x".repeat(1000) });
  })();
  for (let seen = -1; seen !== rows;) {
    seen = rows;
    await new Promise((resolve) => { setTimeout(resolve, 300); });
  }
  await push.abort();
  await fails("FAILED_PRECONDITION", filling);
  assert.ok(rows > 500 && rows < 1_500, `${rows} rows`);
}));

test("values have their fields", () => using(async (client, producer) => {
  const push = await client.push("plain", producer);
  for (const [value, ...wire] of [
    [null, null, null], [undefined, null, null], [true, "bool", true], [7, "int64", 7],
    [-0.5, "double", "-0.5"], [-0, "double", "-0.0"], [new tidemark.Double(2), "double", "2.0"],
    [2 ** 60, "double", "1.152921504606847e+18"], [2n ** 62n, "int64", 2 ** 62],
    [2n ** 63n, "decimal", "9223372036854775808"], ["é😀", "string", "é😀"],
    [new Uint8Array([0, 255]), "bytes", "00ff"], [new tidemark.Decimal("1.50"), "decimal", "1.50"],
    [new tidemark.CalendarDate("1969-12-31"), "date_days", -1],
    [new tidemark.TimeOfDay(1_000_005n), "time_us", 1_000_005],
    [new Date(-1), "timestamp_us", -1000], [new tidemark.Timestamp(-1n), "timestamp_us", -1],
    [new tidemark.NaiveTimestamp(5n), "naive_timestamp_us", 5],
    [{ a: [1, null] }, "json", '{"a":[1,null]}'], [[], "json", "[]"],
  ]) {
    await push.upsert("values", { v: value });
    await push.flush();
    const { rows } = await pushed(client, `plain/${producer}`);
    assert.deepEqual(rows.at(-1)[2].v, wire);
  }
  for (const [value, words] of [
    ["\ud800", /table values, column "v": the text is not Unicode/],
    [Symbol("x"), /a symbol is no value/], [new Date(NaN), /the Date is invalid/],
  ]) {
    await assert.rejects(push.upsert("values", { v: value }), words);
  }
  assert.equal((await fails("INVALID_ARGUMENT", push.upsert("values", {
    v: Buffer.alloc(5 << 20) }))).reason, "ROW_TOO_LARGE");
  await push.close();
}));
