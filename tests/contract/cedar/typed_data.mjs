// Entities and requests that keep to a schema's model, save where one thing is broken.
import { json } from './literals.mjs';

export const absentId = 'zz';
const chainLength = 10;

// How many of each kind of request the world has, by its model.
export function kindsOf({ actions }) {
  return actions.flatMap((action) => action.principals.flatMap((principal) =>
    action.resources.map((resource) => ({ action, principal, resource }))));
}

export class DataMaker {
  constructor(random, schema) {
    this.random = random;
    this.schema = schema;
    this.isBare = random.chance(25);
    this.idsOf = new Map([...schema.types.values()].map((type) => [type.name,
      type.ids ?? ['a', 'b'].slice(0, random.chance(40) ? 2 : 1)]));
    const deep = [...schema.types.values()].filter(({ name, parents }) => parents.includes(name));
    this.chained = deep.length > 0 && random.chance(25) ? random.pick(deep).name : null;
    if (this.chained !== null) {
      const ids = Array.from({ length: chainLength }, (_, i) => `c${i}`);
      this.idsOf.set(this.chained, [...this.idsOf.get(this.chained), ...ids]);
    }
  }

  uid(name) {
    const known = this.idsOf.get(name);
    return { type: name, id: this.random.chance(5) ? absentId : this.random.pick(known) };
  }

  value(type) {
    const { random } = this;
    switch (type.kind) {
      case 'Entity': {
        const uid = this.uid(type.name);
        return this.isBare && random.chance(50) ? uid : { __entity: uid };
      }
      case 'Set': return Array.from({ length: random.below(4) }, () => this.value(type.element));
      case 'Record': return this.record(type.members);
      default: return json(random, type.kind, this.isBare);
    }
  }

  record(members) {
    const object = {};
    for (const [name, { type, isOptional }] of members)
      if (!isOptional || this.random.chance(60)) object[name] = this.value(type);
    return object;
  }

  parentsOf(uid, all) {
    const { random } = this;
    const { parents } = this.schema.types.get(uid.type);
    const own = all.findIndex((other) => other === uid);
    const later = all.slice(own + 1).filter(({ type }) => parents.includes(type));
    const next = all[own + 1];
    const chosen = later.length > 0 && random.chance(70) ? random.some(later, 3) : [];
    if (/^c\d/.test(uid.id) && next?.type === uid.type) chosen.push(next);
    if (parents.length > 0 && random.chance(5))
      chosen.push({ type: random.pick(parents), id: absentId });
    return [...new Set(chosen)];
  }

  entity(uid, all) {
    const type = this.schema.types.get(uid.type);
    const entity = { uid, attrs: this.record(type.members), parents: this.parentsOf(uid, all) };
    if (type.tags !== null && this.random.chance(70)) {
      entity.tags = Object.fromEntries(this.random.some(['t', 'u', 'o d'], 2)
        .map((tag) => [tag, this.value(type.tags)]));
    }
    return entity;
  }

  entities() {
    const { random } = this;
    const isListed = (type) => type.ids === null || random.chance(30);
    const uids = [...this.schema.types.values()].filter(isListed).flatMap(({ name }) =>
      this.idsOf.get(name).map((id) => ({ type: name, id })));
    const entities = uids.map((uid) => this.entity(uid, uids));
    if (random.chance(30)) entities.push(...this.listedActions());
    if (random.chance(12)) this.breakOne(entities);
    return entities;
  }

  // All of them, or some, of which each then should have all groups by itself.
  listedActions() {
    const { random, schema: { actions } } = this;
    if (random.chance(50)) return actions.map((action) => actionEntity(action));
    return actions.filter(() => random.chance(60)).map((action) =>
      actionEntity(action, random.chance(60) ? groupsAbove(actions, action) : action.groups));
  }

  // One thing that is wrong, or only looks so.
  breakOne(entities) {
    const { random } = this;
    const at = random.below(entities.length);
    const entity = entities[at];
    const names = Object.keys(entity.attrs);
    const name = names.length > 0 ? random.pick(names) : 'a';
    const wrong = random.pick([1, 'x', true, null, [], [1, 'x'], {}, { __entity: this.uid(
      random.pick([...this.idsOf.keys()])) }, { __entity: { type: 'X', id: 'a' } },
    { __extn: { fn: 'ip', arg: '1.2.3' } }, { __extn: { fn: 'decimal', arg: '1.5' } }]);
    switch (random.below(9)) {
      case 0: delete entity.attrs[name]; break;
      case 1: entity.attrs.extra = 1; break;
      case 2: case 3: entity.attrs[name] = wrong; break;
      case 4: entity.parents.push(this.uid(random.pick([...this.idsOf.keys()]))); break;
      case 5: entities.push(structuredClone(entity)); break;
      case 6: entities.push({ ...entity, attrs: { ...entity.attrs, [name]: wrong } }); break;
      case 7: entity.tags = { t: wrong }; break;
      default: entities[at] = { ...entity,
        uid: random.pick([{ type: 'X', id: 'a' }, { type: 'E', id: 'none' },
          { type: 'Action', id: 'x' }, { type: 'Action', id: 'none' }]) };
    }
  }

  context(action) {
    const { random } = this;
    const context = action.context === null ? {} : this.record(action.context.members);
    if (!random.chance(7)) return context;
    const names = Object.keys(context);
    const name = names.length > 0 ? random.pick(names) : 'a';
    if (random.chance(40)) delete context[name];
    else context[name] = random.pick([1, 'x', [true], {}, { a: 1 }]);
    return context;
  }

  request(kind) {
    const { random } = this;
    const type = (name) => random.chance(4) ? random.pick([...this.idsOf.keys()]) : name;
    return {
      isTyped: random.chance(60),
      principal: this.uid(type(kind.principal)),
      action: random.chance(2) ? { type: 'Action', id: random.pick(['none', 'g', 'x']) }
        : { type: kind.action.type, id: kind.action.id },
      resource: this.uid(type(kind.resource)),
      context: this.context(kind.action),
    };
  }
}

const isSame = (a, b) => a.type === b.type && a.id === b.id;

// The groups of an action, and theirs.
function groupsAbove(actions, { groups }) {
  const above = [...groups];
  for (let i = 0; i < above.length; i++) {
    const found = actions.find((action) => isSame(action, above[i]));
    for (const group of found?.groups ?? [])
      if (!above.some((one) => isSame(one, group))) above.push(group);
  }
  return above;
}

function actionEntity({ type, id, groups: declared }, groups = declared) {
  return { uid: { type, id }, attrs: {},
    parents: groups.map((group) => ({ type: group.type, id: group.id })) };
}
