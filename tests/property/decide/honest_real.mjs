// The laws of honest_laws.c over what real MCP servers offer.
// Usage: node honest_real.mjs HONEST-LAWS FOLDER-WITH-NODE-MODULES.  Skipped (77) without them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [laws, folder] = process.argv.slice(2);
const need = createRequire(`${folder}/`);
let sdk;
try {
  const of = (name) => import(pathToFileURL(need.resolve(`@modelcontextprotocol/sdk/${name}`)));
  sdk = { ...await of('client/index.js'), ...await of('client/stdio.js') };
} catch {
  console.log('skipped: examples/node_modules is missing; run tools/deps');
  process.exit(77);
}

const scratch = mkdtempSync(join(tmpdir(), 'remit-honest-'));
const toolsOf = async (name, ...words) => {
  const packed = need.resolve(`@modelcontextprotocol/server-${name}/package.json`);
  const { bin } = need(packed);
  const client = new sdk.Client({ name: 'honest', version: '1' });
  await client.connect(new sdk.StdioClientTransport({ command: process.execPath,
    args: [join(dirname(packed), Object.values(bin)[0]), ...words], stderr: 'ignore' }));
  const { tools } = await client.listTools();
  await client.close();
  return tools;
};

let status = 1;
try {
  const servers = {
    everything: await toolsOf('everything'),
    files: await toolsOf('filesystem', scratch),
    memory: await toolsOf('memory'),
  };
  const path = join(scratch, 'tools.json');
  writeFileSync(path, JSON.stringify(servers));
  for (const [name, tools] of Object.entries(servers)) {
    console.log(`${name}: ${tools.length} tools`);
  }
  const done = spawnSync(laws, { stdio: 'inherit', env: { ...process.env, REMIT_TOOLS: path } });
  status = done.status ?? 1;
} finally {
  rmSync(scratch, { recursive: true });
}
process.exit(status);
