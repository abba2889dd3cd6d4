// The description of the control API, checked by somebody else's validator.
// Usage: openapi_test.mjs PRINT_OPENAPI NODE_MODULES.  Exits 77 (skipped) where
// the validator is not installed.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [program, modules] = process.argv.slice(2);
const entry = join(modules, "@seriousme/openapi-schema-validator/index.js");
if (!existsSync(entry)) {
  console.log(`skipped: ${entry} is missing; run tools/deps`);
  process.exit(77);
}
const { Validator } = await import(pathToFileURL(entry));
const text = execFileSync(program, { encoding: "utf8" });
const description = JSON.parse(text);

const good = await new Validator().validate(description);
assert.ok(good.valid, JSON.stringify(good.errors, null, 2));

// The validator does say no: each of these breaks one rule of OpenAPI 3.1.
const spoilt = [
  (it) => delete it.info,
  (it) => (it.openapi = "4.0"),
  (it) => delete it.paths["/v1/whoami"].get.responses.default.description,
  (it) => (it.paths["/v1/tasks/{id}"].get.parameters[0].in = "nowhere"),
];
for (const spoil of spoilt) {
  const copy = JSON.parse(text);
  spoil(copy);
  assert.equal((await new Validator().validate(copy)).valid, false, String(spoil));
}

// What the schema of OpenAPI does not check: one name an operation, every
// parameter of a path described, every row with a way in.
const names = new Set();
let operations = 0;
for (const [path, item] of Object.entries(description.paths)) {
  for (const [method, operation] of Object.entries(item)) {
    operations += 1;
    assert.ok(!names.has(operation.operationId), operation.operationId);
    names.add(operation.operationId);
    assert.ok(operation.summary && operation["x-remit-access"], `${method} ${path}`);
    const described = operation.parameters.filter((p) => p.in === "path").map((p) => p.name);
    const wanted = [...path.matchAll(/\{([^}]+)\}/g)].map((found) => found[1]);
    assert.deepEqual(described.sort(), wanted.sort(), `${method} ${path}`);
    if (method === "post")
      assert.ok(operation.parameters.some((p) => p.name === "Idempotency-Key" && p.required), path);
  }
}
console.log(`${operations} operations described, valid by OpenAPI ${description.openapi}`);
