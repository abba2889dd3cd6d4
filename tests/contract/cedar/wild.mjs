// Random schemas, policies and data in one small vocabulary, so that they meet, without
// regard for types: most policies are refused or fail.

const entityNames = ['U', 'G', 'R', 'E'];
const attributes = ['a', 'b', 'c', 'd', 'n', 's', 'e', 'o d'];
const builtIn = ['Long', 'String', 'Bool', 'decimal', 'ipaddr', 'datetime', 'duration', 'Long',
  'String', '__cedar::Long', '__cedar::ipaddr'];

const write = (name) => /^[a-z]+$/.test(name) ? name : JSON.stringify(name);

// `names` is what may be referred to: { types, entities, records, groups }.
function type(random, depth, names) {
  if (random.below(2000) === 0)
    return random.pick(['X', 'Set', 'N::X', 'Boolean', 'in', '__cedar::X']);
  if (depth <= 0 || random.chance(60))
    return random.pick([...builtIn, ...names.types, ...names.types]);
  return random.chance(50)
    ? `Set<${type(random, depth - 1, names)}>` : record(random, depth - 1, names);
}

function record(random, depth, names) {
  const members = [...new Set(random.some(attributes, 6))];
  return `{${members.map((name) =>
    `${write(name)}${random.chance(35) ? '?' : ''}: ${type(random, depth, names)}`).join(', ')}}`;
}

function entity(random, name, names) {
  if (name === 'E' && random.chance(70)) return 'entity E enum ["x", "y"];';
  const parents = random.chance(50) ? ` in [${random.some(names.entities, 2).join(', ')}]` : '';
  const shape = random.chance(85) ? ` = ${record(random, 2, names)}` : '';
  const tags = random.chance(40) ? ` tags ${type(random, 1, names)}` : '';
  return `entity ${name}${parents}${shape}${tags};`;
}

function applies(random, names) {
  if (random.chance(15)) return '';
  const types = () => random.chance(40) ? random.pick(names.entities)
    : `[${random.some(names.entities, 3).join(', ')}]`;
  const shape = random.chance(10) ? random.pick(names.records) : record(random, 2, names);
  const context = random.chance(70) ? `, context: ${shape}` : '';
  return ` appliesTo {principal: ${types()}, resource: ${types()}${context}}`;
}

function actions(random, ids, names) {
  return ids.map((id) => {
    const group = names.groups.length > 0 && random.chance(60)
      ? ` in [${random.some(names.groups, 2).join(', ')}]` : '';
    names.groups.push(id);
    return `action ${id}${group}${applies(random, names)};`;
  });
}

// Cedar syntax; now and then with a mistake.
function schema(random) {
  const hasSpace = random.chance(60);
  const shadow = random.below(300) === 0 ? ['U'] : [];
  const outer = { types: [...entityNames, 'T', 'V'], entities: entityNames, records: ['T'],
    groups: [] };
  const space = { types: [...outer.types, 'W', 'N::W', 'F', 'S', 'Action'],
    entities: [...entityNames, 'W', 'F'], records: ['T', 'N::S'], groups: ['Action::"x"'] };
  if (hasSpace) outer.types.push('N::W', 'N::F', 'N::S', 'N::Action');
  const lines = [...entityNames.map((name) => entity(random, name, outer)),
    `type T = ${record(random, 1, { types: ['G', 'R', 'E'] })};`,
    `type V = ${type(random, 1, { types: ['U', 'T'] })};`];
  if (random.chance(20))
    lines.push(`type ipaddr = ${random.pick(['Long', 'Set<String>', '__cedar::ipaddr', 'U'])};`);
  if (random.chance(20)) lines.push(`entity ${random.pick(['Long', 'decimal', 'Bool'])};`);
  lines.push(...actions(random, random.chance(80) ? ['x', 'y', 'z'] : ['x'], outer));
  if (hasSpace)
    lines.push('namespace N {', ...['W', 'F', ...shadow].map((name) => entity(random, name, space)),
      `type S = ${record(random, 1, { types: ['T', 'F', 'V'] })};`,
      ...actions(random, ['p', 'q'], space), '}');
  const text = lines.join('\n');
  return random.chance(1) ? text.replace(random.pick([';', '{', ',', ':', 'entity']), '') : text;
}


function entityLiteral(random) {
  if (random.chance(3))
    return random.pick(['X::"a"', 'Action::"q"', 'N::Action::"x"', 'G::"\u202e"']);
  if (random.chance(8)) return random.pick(['Action::"x"', 'Action::"y"', 'N::Action::"p"']);
  const name = random.chance(4) ? random.pick(['N::W', 'N::F']) : random.pick(entityNames);
  return `${name}::"${name === 'E' ? random.pick(random.chance(5) ? ['z'] : ['x', 'y']) : 'a'}"`;
}

const typeName = (random) => random.chance(10) ? random.pick(['N::W', 'X', 'Action'])
  : random.pick(entityNames);

function access(random) {
  let text = random.chance(15) ? 'action' : random.pick(['principal', 'resource', 'context']);
  for (let i = random.below(3); i >= 0; i--) {
    const name = random.pick(attributes);
    text += name === 'o d' ? '["o d"]' : `.${name}`;
  }
  return text;
}

const leaves = {
  bool: (random) => random.pick(['true', 'false', access(random), access(random), access(random)]),
  long: (random) => random.pick(['1', '-7', access(random), access(random)]),
  string: (random) => random.pick(['"x"', '"\\u{202E}"', access(random), access(random)]),
  entity: (random) =>
    random.pick(['principal', 'resource', 'action', entityLiteral(random), access(random)]),
  set: (random) => random.pick([access(random), access(random), '[1]', '["x"]', '[]',
    `[${entityLiteral(random)}]`]),
  record: (random) => random.pick(['context', access(random), '{a: 1}', '{}', '{"o d": true}']),
  extension: (random) => random.pick(['decimal("1.0")', 'ip("::1")', 'datetime("2024-01-01")',
    'duration("1h")',
    'decimal("x")', 'ip("x")', 'ip(1)', 'ip()', 'ip("::1", "x")', access(random)]),
};
const kinds = Object.keys(leaves);

function guarded(random) {
  const object = random.chance(60)
    ? random.pick(['principal', 'resource', 'context']) : access(random);
  const name = random.pick(attributes);
  if (random.chance(15)) return `${object} has ${random.some(['a', 'b', 'c', 'n'], 3).join('.')}`;
  const read = name === 'o d' ? `${object}["o d"]` : `${object}.${name}`;
  const use = random.pick([`${read} == ${read}`, `${read} < 2`, `${read} like "x*"`,
    `${read}.contains(1)`, `${read} has a`, `${read}.a == 1`,
    `${read} in ${entityLiteral(random)}`, read]);
  return `(${object} has ${write(name)} ${random.pick(['&&', '&&', '&&', '||'])} ${use})`;
}

function tagged(random, depth) {
  const object = random.pick(['principal', 'resource', 'principal', access(random)]);
  const tag = random.chance(70) ? '"t"' : expression(random, 'string', depth - 1);
  const read = `${object}.getTag(${random.chance(90) ? tag : '"u"'})`;
  const use = random.pick([`${read} == "x"`, `${read} > 1`, `${read}.a == 1`,
    `${read}.contains("x")`, `${read} == ${read}`]);
  return `(${object}.hasTag(${tag}) && ${use})`;
}

const inner = {
  bool: (random, depth) => {
    const e = (kind) => expression(random, kind, depth - 1);
    const any = random.pick(kinds);
    switch (random.below(20)) {
      case 0: case 1: return `(${e('bool')} && ${e('bool')})`;
      case 2: return `(${e('bool')} || ${e('bool')})`;
      case 3: return `!(${e('bool')})`;
      case 4: return `(if ${e('bool')} then ${e('bool')} else ${e('bool')})`;
      case 5: return `(${e(any)} ${random.pick(['==', '!='])} ${e(any)})`;
      case 6: return `(${e('long')} ${random.pick(['<', '<=', '>', '>='])} ${e('long')})`;
      case 7: return `(${e('entity')} in ${e(random.pick(['entity', 'set']))})`;
      case 8: return `(${e('entity')} is ${typeName(random)})`;
      case 9: return `(${e('entity')} is ${random.pick(['U', 'G', 'R'])} in ${e('entity')})`;
      case 10: return `${e('set')}.${random.pick(['contains', 'contains'])}(${e(any)})`;
      case 11: return `${e('set')}.${random.pick(['containsAll', 'containsAny'])}(${e('set')})`;
      case 12: return `${e('set')}.isEmpty()`;
      case 13: return `(${e('string')} like "x*")`;
      case 14: return `${e('extension')}.${random.pick(['isIpv4', 'isLoopback'])}()`;
      case 15:
        return `${e('extension')}.${random.pick(['lessThan', 'isInRange'])}(${e('extension')})`;
      case 16: return `(${e('extension')} ${random.pick(['<', '>='])} ${e('extension')})`;
      case 17: return tagged(random, depth);
      default: return guarded(random);
    }
  },
  long: (random, depth) => {
    const e = (kind) => expression(random, kind, depth - 1);
    return random.chance(60) ? `(${e('long')} ${random.pick(['+', '-', '*'])} ${e('long')})`
      : random.pick([`-(${e('long')})`, `${e('extension')}.toDays()`]);
  },
  string: (random) => leaves.string(random),
  entity: (random, depth) => {
    const e = (kind) => expression(random, kind, depth - 1);
    return random.chance(30) ? `(if ${e('bool')} then ${e('entity')} else ${e('entity')})`
      : leaves.entity(random);
  },
  set: (random, depth) => {
    const kind = random.pick(kinds);
    const count = 1 + random.below(2);
    const items = Array.from({ length: count }, () => expression(random, kind, depth - 1));
    return `[${items.join(', ')}]`;
  },
  record: (random, depth) => `{${[...new Set(random.some(['a', 'b', 'n'], 2))].map((name) =>
    `${name}: ${expression(random, random.pick(kinds), depth - 1)}`).join(', ')}}`,
  extension: (random, depth) => {
    const e = () => expression(random, 'extension', depth - 1);
    return random.pick([`${e()}.toDate()`, `${e()}.offset(${e()})`, leaves.extension(random)]);
  },
};

function expression(random, kind, depth) {
  const wanted = random.chance(4) ? random.pick(kinds) : kind;
  return depth <= 0 ? leaves[wanted](random) : inner[wanted](random, depth);
}

// Now and then in brackets, which mean nothing.
function bracketed(random, text) {
  const count = random.chance(15) ? 1 + random.below(2) : 0;
  return `${'('.repeat(count)}${text}${')'.repeat(count)}`;
}

function scope(random, variable, hasSlot) {
  if (hasSlot)
    return `${variable} ${random.pick(['==', 'in', `is ${typeName(random)} in`])} ${
      bracketed(random, `?${variable}`)}`;
  const entity = () => bracketed(random, entityLiteral(random));
  switch (random.below(9)) {
    case 0: return `${variable} == ${entity()}`;
    case 1: return `${variable} in ${entity()}`;
    case 2: return `${variable} is ${random.pick(entityNames)}`;
    case 3: return `${variable} is ${typeName(random)} in ${entity()}`;
    default: return variable;
  }
}

function actionScope(random) {
  const x = bracketed(random, 'Action::"x"');
  return random.chance(3) ? random.pick(['action in []', 'action == Action::"q"'])
    : random.pick(['action', 'action', `action == ${x}`, `action in ${x}`,
      `action in ${bracketed(random, `[Action::"y", ${x}]`)}`, 'action == N::Action::"p"']);
}

function policy(random, slots) {
  const clauses = Array.from({ length: random.below(3) }, () => {
    const word = random.pick(['when', 'when', 'unless']);
    return ` ${word} { ${expression(random, 'bool', 1 + random.below(4))} }`;
  });
  const sides = [scope(random, 'principal', slots.includes('principal')), actionScope(random),
    scope(random, 'resource', slots.includes('resource'))];
  return `${random.pick(['permit', 'forbid'])}(${sides.join(', ')})${clauses.join('')};`;
}

function templates(random) {
  if (random.chance(70)) return [];
  return Array.from({ length: 1 + random.below(2) }, () => {
    const slots = random.pick([['principal'], ['resource'], ['principal', 'resource']]);
    return { slots, text: policy(random, slots) };
  });
}

function uid(random) {
  const type = random.chance(6) ? random.pick(['X', 'N::W', 'Action']) : random.pick(entityNames);
  return { type, id: random.pick(['a', 'x', 'x']) };
}

function links(random, made) {
  return made.flatMap(({ slots }, index) => Array.from({ length: random.below(3) }, () => ({
    index,
    principal: slots.includes('principal') ? uid(random) : null,
    resource: slots.includes('resource') ? uid(random) : null,
  })));
}

const value = (random, depth) => random.pick([1, -7, 'x', true, false, true, [1], ['x'], [],
  { __entity: uid(random) }, { __extn: { fn: 'ip', arg: '::1' } },
  { __extn: { fn: 'decimal', arg: '1.0' } }, { __extn: { fn: 'duration', arg: '1h' } },
  depth > 0 ? attributesOf(random, depth - 1) : {}]);

const attributesOf = (random, depth) => Object.fromEntries(
  random.some(attributes, 8).map((name) => [name, value(random, depth)]));

function entities(random) {
  return ['U', 'G', 'R', 'N::W'].flatMap((type) => ['a', 'x'].map((id) => ({
    uid: { type, id },
    attrs: attributesOf(random, 2),
    parents: random.chance(50) ? [{ type: random.pick(['G', 'R']), id: 'x' }] : [],
    ...(random.chance(30) && { tags: { t: value(random, 1) } }),
  })));
}

const request = (random) => ({
  isTyped: random.chance(10),
  principal: uid(random),
  action: { type: 'Action', id: random.pick(['x', 'x', 'y']) },
  resource: uid(random),
  context: attributesOf(random, 1),
});

function set(random, requestCount) {
  const made = templates(random);
  return {
    policies: Array.from({ length: 1 + random.below(3) }, () => policy(random, [])),
    templates: made.map(({ text }) => text),
    links: links(random, made),
    requests: Array.from({ length: requestCount }, () => request(random)),
  };
}

export function wildWorld(random, setCount, requestCount) {
  return { kind: 'wild', schema: schema(random), entities: entities(random),
    sets: Array.from({ length: setCount }, () => set(random, requestCount)) };
}
