const { connect, Double } = require("tidemark");

async function main() {
  const client = connect(process.argv[2]);
  const push = await client.push("orders", "typescript");
  for (let number = 1; number <= 100; number++) {
    await push.upsert("orders", { id: `typescript-${number}`, total: new Double(number * 1.5) });
  }
  await push.close();
  client.close();
  console.log("typescript: 100 rows are durable");
}
main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
