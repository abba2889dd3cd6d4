// Random schemas as a model, so that entities, requests and policies can be made to fit.
// A type is { kind, element?, members?, name?, alias? }; kind is a primitive, an extension
// type, Set, Record or Entity; alias is the common type that it is the meaning of.
import { extensions, nameText, primitives, quote } from './literals.mjs';

const attributes = ['a', 'b', 'c', 'd', 'n', 's', 'o d', 'in', 'é', 'q"'];
const spaces = [
  { name: '', entities: ['U', 'G', 'R'], choices: 'E', commons: ['T', 'V'],
    actions: ['x', 'y', 'a b', 'g'] },
  { name: 'N', entities: ['W', 'F'], choices: 'K', commons: ['S', 'O'], actions: ['p', 'q'] },
  { name: 'N::M', entities: ['P'], choices: 'C', commons: ['Q'], actions: ['m'] },
];

const full = (space, name) => space === '' ? name : `${space}::${name}`;
const simple = Object.fromEntries([...primitives, ...extensions].map((kind) => [kind, { kind }]));

// Equal for types that hold the same values.
export function keyOf(type) {
  if (type.key === undefined) {
    const members = type.kind === 'Record' && [...type.members].map(
      ([name, { type: inner, isOptional }]) => `${name}${isOptional ? '?' : ''}:${keyOf(inner)}`)
      .sort().join();
    type.key = type.kind === 'Set' ? `Set<${keyOf(type.element)}>`
      : type.kind === 'Record' ? `{${members}}`
        : type.kind === 'Entity' ? `Entity ${type.name}` : type.kind;
  }
  return type.key;
}

export class SchemaMaker {
  constructor(random) {
    this.random = random;
    this.spaces = spaces.filter(({ name }) => name === '' || random.chance(name === 'N' ? 60 : 25));
    this.types = new Map();
    this.commons = [];
    this.actions = [];
  }

  make() {
    for (const space of this.spaces) this.nameTypes(space);
    this.names = [...this.types.keys()];
    for (const space of this.spaces) this.addCommons(space);
    for (const type of this.types.values()) this.fill(type);
    for (const space of this.spaces) this.addActions(space);
    return { types: this.types, commons: this.commons, actions: this.actions,
      text: this.spaces.map((space) => this.spaceText(space)).join('\n') };
  }

  nameTypes(space) {
    for (const short of space.entities) {
      const name = full(space.name, short);
      this.types.set(name, { name, short, space: space.name, parents: [], ids: null, tags: null,
        members: new Map() });
    }
    if (!this.random.chance(60)) return;
    const name = full(space.name, space.choices);
    this.types.set(name, { name, short: space.choices, space: space.name, parents: [], tags: null,
      ids: ['x', 'y', 'a b'], members: new Map() });
  }

  addCommons(space) {
    for (const short of space.commons) {
      if (!this.random.chance(70)) continue;
      const type = this.random.chance(60) ? this.record(1) : { ...this.type(2) };
      const { key, ...meaning } = type;
      this.commons.push({ ...meaning, alias: full(space.name, short), short, space: space.name,
        of: type });
    }
  }

  type(depth) {
    const { random } = this;
    const dice = random.below(100);
    if (dice < 40) return simple[random.pick(primitives)];
    if (dice < 55) return simple[random.pick(extensions)];
    if (dice < 70) return { kind: 'Entity', name: random.pick(this.names) };
    if (dice < 80 && this.commons.length > 0) return random.pick(this.commons);
    if (depth <= 0) return simple.Long;
    return dice < 92 ? { kind: 'Set', element: this.type(depth - 1) } : this.record(depth - 1);
  }

  record(depth) {
    const { random } = this;
    const members = new Map();
    for (const name of random.some(attributes, 5))
      members.set(name, { type: this.type(depth), isOptional: random.chance(35) });
    return { kind: 'Record', members };
  }

  fill(type) {
    const { random } = this;
    if (type.ids !== null) return;
    if (random.chance(50)) type.parents.push(type.name);
    if (random.chance(60)) type.parents.push(...random.some(this.names, 3));
    type.parents = [...new Set(type.parents)].filter((name) => this.types.get(name).ids === null);
    if (random.chance(85)) type.members = this.record(2).members;
    if (random.chance(40)) type.tags = this.type(1);
  }

  addActions(space) {
    const { random } = this;
    const before = [];
    for (const id of space.actions) {
      const action = { type: full(space.name, 'Action'), id, space: space.name,
        groups: random.chance(50) ? random.some([...before, null], 2).filter((group) => group) : [],
        principals: [], resources: [], context: null };
      if (id !== 'g' && random.chance(90)) {
        action.principals = [...new Set(random.some(this.names, 3))];
        action.resources = [...new Set(random.some(this.names, 3))];
        const named = this.commons.filter(({ kind }) => kind === 'Record');
        if (random.chance(75)) action.context = this.record(2);
        if (named.length > 0 && random.chance(15)) action.context = random.pick(named);
      }
      action.groups = [...new Set(action.groups)];
      before.unshift(action);
      this.actions.push(action);
    }
  }

  typeText(type, isDeclared = false) {
    if (type.alias !== undefined && !isDeclared) return type.alias;
    switch (type.kind) {
      case 'Set': return `Set<${this.typeText(type.element)}>`;
      case 'Record': return this.recordText(type.members);
      case 'Entity': return type.name;
      default: return this.random.chance(8) ? `__cedar::${type.kind}` : type.kind;
    }
  }

  recordText(members) {
    return `{${[...members].map(([name, { type, isOptional }]) =>
      `${nameText(name)}${isOptional ? '?' : ''}: ${this.typeText(type)}`).join(', ')}}`;
  }

  note() { return this.random.chance(5) ? '@doc("x") ' : ''; }

  entityText(type) {
    const head = `${this.note()}entity ${type.short}`;
    if (type.ids !== null) return `${head} enum [${type.ids.map(quote).join(', ')}];`;
    const parents = type.parents.length === 0 ? '' : ` in [${type.parents.join(', ')}]`;
    const shape = type.members.size === 0 ? '' : ` = ${this.recordText(type.members)}`;
    return `${head}${parents}${shape}${type.tags ? ` tags ${this.typeText(type.tags)}` : ''};`;
  }

  actionText(action) {
    const groups = action.groups.length === 0 ? ''
      : ` in [${action.groups.map(({ id }) => nameText(id)).join(', ')}]`;
    const context = action.context === null ? '' : `, context: ${this.typeText(action.context)}`;
    const applies = action.principals.length === 0 ? '' : ` appliesTo {principal: [${
      action.principals.join(', ')}], resource: [${action.resources.join(', ')}]${context}}`;
    return `${this.note()}action ${nameText(action.id)}${groups}${applies};`;
  }

  spaceText({ name }) {
    const isHere = ({ space }) => space === name;
    const lines = [
      ...this.commons.filter(isHere).map((type) =>
        `type ${type.short} = ${this.typeText(type.of, type.of.alias === undefined)};`),
      ...[...this.types.values()].filter(isHere).map((type) => this.entityText(type)),
      ...this.actions.filter(isHere).map((action) => this.actionText(action)),
    ];
    return name === '' ? lines.join('\n') : `namespace ${name} {\n${lines.join('\n')}\n}`;
  }
}
