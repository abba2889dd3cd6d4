// A knowledge base behind MCP, on the official SDK: articles in SQLite (FTS5), each row
// with its sensitivity.  It gives rows up to what remit says in `_meta` (remit/ceiling),
// public ones where nothing is said, and writes each query into a log of its own with
// the record that remit told it (remit/record).
//
// Usage: server.mjs FOLDER
//
// In FOLDER: kb.db, queries.jsonl.  A file `lying` there makes it forget the ceiling, as
// a server with a fault would; `down` makes it fail, `odd-…` answer what makes no sense.
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import {
  CallToolRequestSchema, GetPromptRequestSchema, ListPromptsRequestSchema,
  ListResourcesRequestSchema, ListResourceTemplatesRequestSchema, ListToolsRequestSchema,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import sqlite from 'node-sqlite3-wasm';

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
const LEVELS = ['public', 'internal', 'confidential', 'restricted'];
const ROWS_MAX = 20;

const open = () => {
  const path = join(folder, 'kb.db');
  for (const end of ['', '.lock', '-journal']) {
    rmSync(path + end, { recursive: true, force: true });
  }
  const database = new sqlite.Database(path);
  database.exec(
    'CREATE VIRTUAL TABLE article USING fts5 (id UNINDEXED, class UNINDEXED, title, text)');
  for (const { id, class: label, title, text } of
    JSON.parse(readFileSync(join(here, 'articles.json'), 'utf8'))) {
    database.run('INSERT INTO article (id, class, title, text) VALUES (?, ?, ?, ?)',
      [id, label, title, text]);
  }
  return database;
};
const database = open();

const is = (name) => existsSync(join(folder, name));

// What may be shown, by what remit said; nothing is said to whoever goes round it.
const allowed = (meta) => {
  const ceiling = is('lying') ? 'restricted' : meta?.['remit/ceiling'];
  return LEVELS.slice(0, Math.max(0, LEVELS.indexOf(ceiling)) + 1);
};

const log = (meta, objects) =>
  appendFileSync(join(folder, 'queries.jsonl'), JSON.stringify({
    at: Date.now(), record: meta?.['remit/record'], ceiling: meta?.['remit/ceiling'], objects,
    count: objects.length,
  }) + '\n');

const quoted = (query) => query.split(/[^\p{L}\p{N}]+/u).filter(Boolean)
  .map((word) => `"${word}"`).join(' ');

const search = (query, meta) => {
  if (is('down')) throw new Error(`cannot open ${join(folder, 'kb.db')}: disk I/O error`);
  const words = quoted(query);
  const labels = allowed(meta);
  const rows = words === '' ? [] : database.all(
    `SELECT id, class, title, text FROM article WHERE article MATCH ?
     AND class IN (${labels.map(() => '?')}) ORDER BY rank, id LIMIT ${ROWS_MAX}`,
    [words, ...labels]);
  log(meta, rows.map(({ id }) => id));
  return { rows };
};

const read = (uri, meta) => {
  const [, label, id] = /^kb:\/\/([a-z]+)\/([a-z0-9-]+)$/.exec(uri) ?? [];
  const row = database.get('SELECT title, text FROM article WHERE id = ? AND class = ?',
    [id ?? '', label ?? '']);
  log(meta, row ? [uri] : []);
  if (!row) throw new Error('no such article');
  return { contents: [{ uri, mimeType: 'text/plain', text: `${row.title}\n${row.text}\n` }] };
};

const server = new Server(
  { name: 'knowledge', version: '1.0.0' },
  { capabilities: { tools: {}, resources: {}, prompts: {} } },
);
server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: [{
    name: 'search',
    description: 'Searches the articles of the support desk.',
    inputSchema: {
      type: 'object', properties: { query: { type: 'string' } }, required: ['query'],
    },
  }],
}));
// Answers of a server that is broken, one a file.
const secret = database.get("SELECT title, text FROM article WHERE class = 'restricted'");
const oddities = {
  'odd-text': () => ({ content: [{ type: 'text', text: secret.text }] }),
  'odd-number': () => ({ content: [], structuredContent: { rows: 7, text: secret.text } }),
  'odd-two-texts': () => ({
    content: [{ type: 'text', text: '{"rows":[]}' }, { type: 'text', text: secret.text }],
  }),
  'odd-unlabelled': () => ({
    content: [], structuredContent: { rows: [{ id: 'kb-401', text: secret.text }] },
  }),
  'odd-huge': () => ({ content: [{ type: 'text', text: secret.text.repeat(1_000_000) }] }),
};
server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
  const odd = Object.keys(oddities).find(is);
  if (odd) {
    log(params._meta, []);
    return oddities[odd]();
  }
  const found = search(String(params.arguments?.query ?? ''), params._meta);
  return { content: [{ type: 'text', text: JSON.stringify(found) }], structuredContent: found };
});
server.setRequestHandler(ListResourcesRequestSchema, () => ({
  resources: database.all('SELECT id, class, title FROM article ORDER BY id').map(
    ({ id, class: label, title }) => ({ uri: `kb://${label}/${id}`, name: title })),
}));
server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
  resourceTemplates: LEVELS.map((label) => ({
    uriTemplate: `kb://${label}/{id}`, name: `${label} articles`,
  })),
}));
server.setRequestHandler(ReadResourceRequestSchema, ({ params }) =>
  read(params.uri, params._meta));
server.setRequestHandler(ListPromptsRequestSchema, () => ({
  prompts: [{ name: 'answer-customer' }, { name: 'answer-auditor' }],
}));
server.setRequestHandler(GetPromptRequestSchema, ({ params }) => ({
  messages: [{
    role: 'user', content: { type: 'text', text: `Write an answer (${params.name}).` },
  }],
}));
await server.connect(new StdioServerTransport());
