// Policies, templates and links that keep to a schema's model most of the time.
import { constructors, extensions, literal, member, nameText, pattern, primitives, quote }
  from './literals.mjs';
import { keyOf } from './typed_schema.mjs';

const pathsMax = 120;
const simple = [...primitives, ...extensions];
const comparable = ['Long', 'Long', 'datetime', 'duration'];
const uidText = ({ type, id }) => `${type}::${quote(id)}`;
const entityOf = (name) => ({ kind: 'Entity', name });
const setOf = (element) => ({ kind: 'Set', element });

// What can be read in one kind of request: { text, type, guards } each; guards say when it
// is there.
function pathsOf({ types }, { action, principal, resource }) {
  const found = [];
  const membersOf = (type) => type.kind === 'Record' ? type.members
    : type.kind === 'Entity' ? types.get(type.name)?.members : undefined;
  const visit = (path, depth) => {
    if (found.length >= pathsMax) return;
    found.push(path);
    if (depth === 0) return;
    for (const [name, { type, isOptional }] of membersOf(path.type) ?? []) {
      const has = `${path.text} has ${nameText(name)}`;
      visit({ text: member(path.text, name), type,
        guards: isOptional ? [...path.guards, has] : path.guards }, depth - 1);
    }
    const tags = path.type.kind === 'Entity' && types.get(path.type.name)?.tags;
    if (tags)
      found.push({ text: `${path.text}.getTag("t")`, type: tags,
        guards: [...path.guards, `${path.text}.hasTag("t")`] });
  };
  visit({ text: 'principal', type: entityOf(principal), guards: [] }, 3);
  visit({ text: 'resource', type: entityOf(resource), guards: [] }, 3);
  if (action.context !== null)
    visit({ text: 'context', type: action.context, guards: [] }, 3);
  found.push({ text: 'action', type: entityOf(action.type), guards: [] });
  return found;
}

class Expressions {
  constructor(random, schema, data, kind) {
    Object.assign(this, { random, schema, data, kind });
    kind.paths ??= pathsOf(schema, kind);
    kind.byKey ??= groupByKey(kind.paths);
    this.wrong = random.chance(75) ? 0 : 4;
  }

  anyType() {
    const { random } = this;
    return random.chance(70) ? random.pick(this.kind.paths).type : { kind: random.pick(simple) };
  }

  entityType() {
    return entityOf(this.random.chance(70)
      ? this.random.pick([this.kind.principal, this.kind.resource])
      : this.random.pick([...this.schema.types.keys()]));
  }

  of(type, depth) {
    const { random } = this;
    const wanted = random.chance(this.wrong) ? this.anyType() : type;
    if (depth <= 0 || random.chance(25)) return this.atom(wanted);
    if (random.chance(6)) {
      return `(if ${this.bool(depth - 1)} then ${this.of(wanted, depth - 1)} else ${
        this.of(wanted, depth - 1)})`;
    }
    return this.compound(wanted, depth);
  }

  compound(type, depth) {
    switch (type.kind) {
      case 'Bool': return this.bool(depth);
      case 'Long': return this.long(depth - 1);
      case 'datetime': return this.datetime(depth - 1);
      case 'duration': return this.duration(depth - 1);
      case 'Set': return `[${Array.from({ length: 1 + this.random.below(3) },
        () => this.of(type.element, depth - 1)).join(', ')}]`;
      case 'Record': return this.record(type, depth - 1);
      default: return this.atom(type);
    }
  }

  record(type, depth) {
    const members = [...type.members].filter(([, { isOptional }]) => !isOptional ||
      this.random.chance(80));
    return `{${members.map(([name, { type: inner }]) =>
      `${nameText(name)}: ${this.of(inner, depth)}`).join(', ')}}`;
  }

  constant(type) {
    const { random } = this;
    switch (type.kind) {
      case 'Entity': return this.schema.types.has(type.name) ? uidText(this.data.uid(type.name))
        : uidText(random.pick(this.schema.actions));
      case 'Set': return random.chance(5) ? '[]' : `[${Array.from({ length: 1 + random.below(2) },
        () => this.constant(type.element)).join(', ')}]`;
      case 'Record': return `{${[...type.members].map(([name, { type: inner }]) =>
        `${nameText(name)}: ${this.constant(inner)}`).join(', ')}}`;
      default: return literal(random, type.kind);
    }
  }

  atom(type) {
    const { random } = this;
    if (type.kind in constructors && random.chance(2))
      return `${constructors[type.kind]}(${this.atom({ kind: 'String' })})`;
    const paths = this.kind.byKey.get(keyOf(type));
    if (paths === undefined || random.chance(25)) return this.constant(type);
    const path = random.pick(paths);
    if (path.guards.length === 0 || random.chance(5)) return path.text;
    return `(if ${path.guards.join(' && ')} then ${path.text} else ${this.constant(type)})`;
  }

  bool(depth) {
    if (depth <= 0) return this.atom({ kind: 'Bool' });
    const { random } = this;
    const d = depth - 1;
    switch (random.below(22)) {
      case 0: case 1: return `(${this.bool(d)} && ${this.bool(d)})`;
      case 2: case 3: return `(${this.bool(d)} || ${this.bool(d)})`;
      case 4: return `!(${this.bool(d)})`;
      case 5: return `(if ${this.bool(d)} then ${this.bool(d)} else ${this.bool(d)})`;
      case 6: case 7: return this.equality(d);
      case 8: case 9: return this.ordering(d);
      case 10: case 11: return this.membership(d);
      case 12: return this.typeTest(d);
      case 13: case 14: return this.containment(d);
      case 15: return `(${this.of({ kind: 'String' }, d)} like ${pattern(random)})`;
      case 16: return this.tag(d);
      case 17: return this.address(d);
      case 18: return this.fraction(d);
      case 19: return this.presence(d);
      default: return this.guarded(d);
    }
  }

  equality(depth) {
    const type = this.anyType();
    return `(${this.of(type, depth)} ${this.random.pick(['==', '==', '!='])} ${
      this.of(type, depth)})`;
  }

  ordering(depth) {
    const type = { kind: this.random.pick(comparable) };
    return `(${this.of(type, depth)} ${this.random.pick(['<', '<=', '>', '>='])} ${
      this.of(type, depth)})`;
  }

  membership(depth) {
    const { random } = this;
    const container = random.chance(15) ? entityOf(this.kind.action.type) : this.entityType();
    const contained = random.chance(15) ? entityOf(this.kind.action.type) : this.entityType();
    return `(${this.of(contained, depth)} in ${
      this.of(random.chance(30) ? setOf(container) : container, depth)})`;
  }

  typeTest(depth) {
    const { random } = this;
    const inside = random.chance(40) ? ` in ${this.of(this.entityType(), depth)}` : '';
    return `(${this.of(this.entityType(), depth)} is ${this.entityType().name}${inside})`;
  }

  containment(depth) {
    const { random } = this;
    const sets = this.kind.paths.filter(({ type }) => type.kind === 'Set');
    const type = sets.length > 0 && random.chance(70) ? random.pick(sets).type
      : setOf(this.anyType());
    const set = this.of(type, depth);
    const dice = random.below(10);
    if (dice < 2) return `${set}.isEmpty()`;
    if (dice < 6) return `${set}.contains(${this.of(type.element, depth)})`;
    return `${set}.${random.pick(['containsAll', 'containsAny'])}(${this.of(type, depth)})`;
  }

  tag(depth) {
    const { random } = this;
    const entities = this.kind.paths.filter(({ type }) => this.schema.types.has(type.name));
    const tagged = random.chance(3) ? entities
      : entities.filter(({ type }) => this.schema.types.get(type.name).tags);
    if (tagged.length === 0) return this.guarded(depth);
    const { text, type, guards } = random.pick(tagged);
    const tags = this.schema.types.get(type.name).tags ?? { kind: 'Long' };
    const name = random.chance(60) ? '"u"' : this.of({ kind: 'String' }, Math.min(depth, 1));
    return `(${[...guards, `${text}.hasTag(${name})`].join(' && ')} && ${text}.getTag(${
      random.chance(95) ? name : '"t"'}) == ${this.of(tags, depth)})`;
  }

  address(depth) {
    const ip = () => this.of({ kind: 'ipaddr' }, depth);
    const method = this.random.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast', 'isInRange']);
    return `${ip()}.${method}(${method === 'isInRange' ? ip() : ''})`;
  }

  fraction(depth) {
    const decimal = () => this.of({ kind: 'decimal' }, depth);
    return `${decimal()}.${this.random.pick(['lessThan', 'lessThanOrEqual', 'greaterThan',
      'greaterThanOrEqual'])}(${decimal()})`;
  }

  presence(depth) {
    const { random } = this;
    const objects = this.kind.paths.filter(({ type }) => type.kind === 'Record' ||
      type.kind === 'Entity');
    const { text, guards } = random.pick(objects);
    const name = random.pick(['a', 'b', 'c', 'n', 's', 'o d', 'in']);
    const names = random.chance(25) ? random.some(['a', 'b', 'c', 'd'], 3).join('.')
      : nameText(name);
    const shown = random.chance(10) ? `${this.record({ members: new Map([['a', { type: {
      kind: 'Long' } }]]) }, depth)} has a` : `${text} has ${names}`;
    return `(${[...guards, shown].join(' && ')})`;
  }

  // An optional attribute or tag, used where it is known to be there.
  guarded(depth) {
    const { random } = this;
    const optional = this.kind.paths.filter(({ guards }) => guards.length > 0);
    if (optional.length === 0) return this.equality(depth);
    const { text, type, guards } = random.pick(optional);
    const use = type.kind === 'Bool' ? text : `${text} == ${this.of(type, depth)}`;
    return `(${guards.join(' && ')} ${random.chance(95) ? '&&' : '||'} ${use})`;
  }

  long(depth) {
    const { random } = this;
    const long = () => this.of({ kind: 'Long' }, depth);
    if (random.chance(55)) return `(${long()} ${random.pick(['+', '-', '*'])} ${long()})`;
    if (random.chance(30)) return `-(${long()})`;
    return `${this.of({ kind: 'duration' }, depth)}.${random.pick(['toMilliseconds', 'toSeconds',
      'toMinutes', 'toHours', 'toDays'])}()`;
  }

  datetime(depth) {
    const time = this.of({ kind: 'datetime' }, depth);
    return this.random.chance(50) ? `${time}.toDate()`
      : `${time}.offset(${this.of({ kind: 'duration' }, depth)})`;
  }

  duration(depth) {
    const time = this.of({ kind: 'datetime' }, depth);
    return this.random.chance(50) ? `${time}.toTime()`
      : `${time}.durationSince(${this.of({ kind: 'datetime' }, depth)})`;
  }
}

function groupByKey(paths) {
  const groups = new Map();
  for (const path of paths) {
    const key = keyOf(path.type);
    if (groups.has(key)) groups.get(key).push(path);
    else groups.set(key, [path]);
  }
  return groups;
}

export class SetMaker {
  constructor(random, schema, data, kinds) {
    Object.assign(this, { random, schema, data, kinds });
  }

  // How a scope may speak of a variable whose type is `name`.
  scope(variable, name, isNarrow, hasSlot) {
    const { random } = this;
    const container = () => uidText(this.data.uid(random.pick([...this.schema.types.keys()])));
    if (hasSlot) return `${variable} ${random.pick(['==', 'in', `is ${name} in`])} ?${variable}`;
    const dice = random.below(10);
    if (dice < 2) return `${variable} == ${uidText(this.data.uid(name))}`;
    if (dice < 4) return `${variable} is ${name} in ${container()}`;
    if (isNarrow) return `${variable} is ${name}`;
    return dice < 6 ? `${variable} in ${container()}` : variable;
  }

  actionScope({ action }, isNarrow) {
    const { random } = this;
    const any = () => uidText(random.pick(this.schema.actions));
    const dice = random.below(10);
    if (isNarrow || dice < 3) return `action == ${uidText(action)}`;
    if (dice < 5) return `action in [${[uidText(action), any()].join(', ')}]`;
    return dice < 7 ? `action in ${any()}` : 'action';
  }

  policy(slots) {
    const { random } = this;
    const kind = random.pick(this.focus);
    const clauses = random.pick([0, 1, 1, 1, 2, 3]);
    const isNarrow = clauses > 0 && random.chance(80);
    const expressions = new Expressions(random, this.schema, this.data, kind);
    const sides = [this.scope('principal', kind.principal, isNarrow, slots.includes('principal')),
      this.actionScope(kind, isNarrow),
      this.scope('resource', kind.resource, isNarrow, slots.includes('resource'))];
    const conditions = Array.from({ length: clauses }, () => `${
      random.pick(['when', 'when', 'unless'])} { ${expressions.bool(1 + random.below(4))} }`);
    const note = random.chance(5) ? '@id("x") ' : '';
    return `${note}${random.chance(68) ? 'permit' : 'forbid'}(${sides.join(', ')})${
      conditions.map((text) => ` ${text}`).join('')};`;
  }

  template() {
    const slots = this.random.pick([['principal'], ['resource'], ['principal', 'resource']]);
    return { slots, text: this.policy(slots) };
  }

  link({ slots }, index) {
    const { random } = this;
    const kind = random.pick(this.focus);
    const entity = (variable) => {
      if (!slots.includes(variable)) return null;
      return this.data.uid(random.chance(85) ? kind[variable]
        : random.pick([...this.schema.types.keys()]));
    };
    return { index, principal: entity('principal'), resource: entity('resource') };
  }

  set(requestCount) {
    const { random } = this;
    this.focus = random.some(this.kinds, 2);
    const many = random.chance(3) ? 40 : 6;
    const policies = Array.from({ length: 1 + random.below(many) }, () => this.policy([]));
    const templates = random.chance(60) ? []
      : Array.from({ length: 1 + random.below(2) }, () => this.template());
    return {
      policies,
      templates: templates.map(({ text }) => text),
      links: templates.flatMap((template, index) => Array.from(
        { length: random.below(4) }, () => this.link(template, index))),
      requests: Array.from({ length: requestCount },
        () => this.data.request(random.pick(this.focus))),
    };
  }
}

