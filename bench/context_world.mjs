// What bench/context calls: a server with tools as those that people connect (a search of
// issues, a new issue), each in forms that differ in what the registry says of them.
import { createHash } from 'node:crypto';

import { policies } from './roads.mjs';

const POLICIES = 100;
const PERSON = 'dana@example.com';
export const PURPOSE = `Tell ${PERSON} what is open in checkout of acme, from docs/refunds/41.md`;

// ---- definitions ----

const name = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' };
const text = (description, most) => ({ type: 'string', description, maxLength: most });
const where = {
  owner: { ...name, description: 'Account that owns the repository, without regard to case' },
  repo: { ...name, description: 'Name of the repository' },
  path: { ...text('Only what mentions this file', 1000), minLength: 1 },
};
const labels = {
  type: 'array', description: 'All of these labels', maxItems: 20, uniqueItems: true,
  items: { type: 'string', minLength: 1, maxLength: 50 },
};
const people = { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 10 };
const object = (properties, required) =>
  ({ type: 'object', properties, required, additionalProperties: false });

const searchInput = object({
  ...where,
  query: { ...text('Words and qualifiers', 1000), minLength: 1 },
  state: { enum: ['open', 'closed', 'all'], default: 'open' },
  labels,
  since: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$' },
  page: { type: 'integer', minimum: 1 },
  perPage: { type: 'integer', minimum: 1, maximum: 100 },
  filter: object({
    author: name, mentions: people, minComments: { type: 'integer', minimum: 0 },
  }, ['author']),
}, ['owner', 'repo', 'query', 'path']);
const searchOutput = {
  type: 'object',
  properties: {
    cursor: { type: 'integer' },
    rows: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          id: { type: 'string' }, number: { type: 'integer', minimum: 1 },
          class: { enum: ['public', 'internal', 'confidential', 'restricted'] },
          state: { enum: ['open', 'closed'] }, title: { type: 'string' },
          author: { type: 'string' }, url: { type: 'string' }, body: { type: 'string' },
        },
        required: ['id', 'number', 'class', 'state', 'title'],
      },
    },
  },
  required: ['rows'],
};
const postInput = object({
  ...where,
  title: { ...text('One line', 256), minLength: 1 },
  body: text('Markdown', 65536),
  notify: { ...text('Who is told of it by mail', 254), pattern: '^[^@ ]+@[^@ ]+$' },
  labels,
  assignees: people,
  milestone: { type: 'integer', minimum: 1 },
  options: object({ draft: { type: 'boolean' }, template: { enum: ['bug', 'task'] } }, ['draft']),
}, ['owner', 'repo', 'title', 'path', 'notify']);

const searchDefinition = (tool) => ({
  name: tool, title: 'Search issues', inputSchema: searchInput, outputSchema: searchOutput,
  description: 'Issues of one repository, the latest first',
});
const postDefinition = (tool) => ({
  name: tool, title: 'Open an issue', inputSchema: postInput,
  description: 'Opens an issue and tells one person',
});

const sorted = (value) => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
};
const pinOf = (definition) =>
  'sha256:' + createHash('sha256').update(JSON.stringify(sorted(definition))).digest('hex');

// ---- what is said of a tool ----

const pin = (definition) => [`definition: ${pinOf(definition)}`];
const flow = ['targets:', '  - {argument: path, as: path}', '  - {argument: repo, as: object}'];
const search = {
  flow: [...flow, 'reads: [{data-source: bench-issues}]', 'results:',
    '  - {field: "rows.*.title", trust: untrusted}',
    '  - {field: "rows.*.body", trust: untrusted}'],
  retrieval: ["objects: 'rows[*].id'", "classification: 'rows[*].class'"],
};
const tell = [...flow, '  - {argument: notify, as: recipient}', 'results:',
  '  - {field: "*", trust: untrusted}'];

// Each: how it is called, and the lines of its charter that say more than its effect.  Names
// are far from one another, as what is pinned quarantines what looks like it.
const tools = () => {
  const finding = (tool, lines) => ({ tool, effect: 'read', define: searchDefinition, lines });
  const posting = (tool, lines) => ({ tool, effect: 'write', define: postDefinition, lines });
  return [
    finding('find-bare', () => []),
    finding('search-checked', pin),
    finding('lookup-labelled', () => search.flow),
    finding('query-counted', () => ['reads: [{data-source: bench-issues}]', ...search.retrieval]),
    finding('retrieve-whole', (one) => [...pin(one), ...search.flow, ...search.retrieval]),
    posting('open-bare', () => []),
    posting('report-whole', (one) => [...pin(one), ...tell]),
  ];
};
export const ROADS = {
  search: { bare: 'find-bare', whole: 'retrieve-whole', parts: {
    'schema check': 'search-checked',
    'labels and origins': 'lookup-labelled',
    'retrieval record': 'query-counted',
  } },
  post: { bare: 'open-bare', whole: 'report-whole', parts: {} },
};

// ---- the calls and their answers ----

const PROSE = 'Since the release of Tuesday a refund that takes longer than thirty seconds is ' +
  'shown as failed, though the bank has it; see https://status.example.com/incidents/2217 and ' +
  'the note of ops-oncall. Customers write to help@example.com and try again, which refunds twice.';
const rows = Array.from({ length: 8 }, (none, at) => ({
  id: `acme/checkout#${400 + at}`, number: 400 + at, class: at % 3 ? 'internal' : 'public',
  state: 'open', title: `Refund ${at} times out behind the gateway`, author: `dana-k${at}`,
  url: `https://git.example.com/acme/checkout/issues/${400 + at}`, body: PROSE,
}));
const structured = `{"cursor":@ID@,"rows":${JSON.stringify(rows)}}`;
const SEARCHED = `{"content":[{"type":"text","text":${JSON.stringify(structured)}}],` +
  `"structuredContent":${structured}}`;
const OPENED = { number: 431, url: 'https://git.example.com/acme/checkout/issues/431' };
const POSTED = JSON.stringify({ content: [{ type: 'text', text: JSON.stringify(OPENED) }] });

const place = { owner: 'acme', repo: 'checkout', path: 'docs/refunds/41.md' };
const searchArguments = {
  ...place, query: 'refund timeout is:issue sort:updated', state: 'open',
  labels: ['payments', 'p1'], since: '2026-09-01T00:00:00Z', page: 1, perPage: 20,
  filter: { author: 'dana-k', mentions: ['ops-oncall'], minComments: 2 },
};
const postArguments = {
  ...place, title: 'Refunds that time out are refunded twice', body: PROSE.replace(/ see .*?;/, '')
    .replace(/https:\S+/, 'incident 2217').replace('help@example.com', PERSON),
  notify: PERSON, labels: ['payments', 'p1'], assignees: ['dana-k'], milestone: 12,
  options: { draft: false, template: 'bug' },
};

export const bodyOf = (tool) =>
  `{"jsonrpc":"2.0","id":@ID@,"method":"tools/call","params":{"name":"${tool}","arguments":` +
  JSON.stringify(tools().find((one) => one.tool === tool).effect === 'read'
    ? searchArguments : postArguments) + '}}';

// The lines that gateway-upstream answers by.
export const answers = () => [
  ...tools().map(({ tool, effect }) => `${tool} ${effect === 'read' ? SEARCHED : POSTED}`),
  `tools/list ${JSON.stringify({ tools: tools().map(({ tool, define }) => define(tool)) })}`, '',
].join('\n');

// ---- the registry ----

const toolCharter = ({ tool, effect, define, lines }) => `object: tool
name: bench/${tool}
effect: ${effect}
risk: low
reversal: ${effect === 'read' ? 'none-needed' : 'inverse'}
${lines(define(tool)).join('\n')}
---
`;

export const charters = (files, world, port) => {
  const entitlements = tools().map(({ tool, effect }) =>
    `  - {effect: ${effect}, tool: bench/${tool}, when: 'context.args.path like "docs/*"'}`);
  files.set('charters/60-bench.yaml', `object: server
name: bench
transport: {url: "http://127.0.0.1:${port}/mcp"}
environment: staging
unit: support
---
object: data-source
name: bench-issues
unit: support
sensitivity: internal
trust: trusted
environment: staging
---
${tools().map(toolCharter).join('')}object: identity
name: bencher
kind: agent
class: update
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Measure what the whole context of a call costs
environments: [staging]
data-sources: [{name: bench-issues, up-to: internal}]
outputs: [{to: reply, up-to: internal}, {to: "*@example.com", up-to: internal}]
entitlements:
${entitlements.join('\n')}
peers: []
limits: {task: 60m, calls-per-minute: 100000}
impact: None
review: 90d
expires: 2027-06-30
${world.keysLineOf('nobody')}
`);
  files.set('charters/61-policies.yaml', policies(POLICIES - 1));
};
