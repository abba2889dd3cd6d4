// Worlds whose parts fit together most of the time.
import { DataMaker, kindsOf } from './typed_data.mjs';
import { SetMaker } from './typed_policies.mjs';
import { SchemaMaker } from './typed_schema.mjs';

export function typedWorld(random, setCount, requestCount) {
  let schema, kinds;
  do {
    schema = new SchemaMaker(random).make();
    kinds = kindsOf(schema);
  } while (kinds.length === 0);
  const data = new DataMaker(random, schema);
  const maker = new SetMaker(random, schema, data, kinds);
  return { kind: 'typed', schema: schema.text, entities: data.entities(),
    sets: Array.from({ length: setCount }, () => maker.set(requestCount)) };
}
