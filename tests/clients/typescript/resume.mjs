// Pushes 20,000 rows into `orders` at an address, and prints a line at every quarter.
import { createRequire } from "node:module";

const { connect } = createRequire(import.meta.url)(process.env.TIDEMARK_TEST_PACKAGE);
const client = connect(process.argv[2]);
const push = await client.push("orders", "typescript");
for (let id = 0; id < 20_000; id += 1) {
  await push.upsert("orders", { id, total: 0.5 });
  if (id % 5_000 === 4_999) console.log(id);
}
await push.close();
client.close();
