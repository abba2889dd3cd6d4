// Values of the types that need no schema: as Cedar text and as JSON.  Few enough that
// two of them are often equal, and among them those at the ends of what there is.

const longs = ['0', '1', '1', '2', '-1', '7', '60', '1000', '86400000', '9007199254740991',
  '-9007199254740991'];
const wideLongs = ['9223372036854775807', '-9223372036854775808', '4611686018427387904',
  '3037000500'];
const strings = ['', 'a', 'x', 'x', 'xy', 'x*y', 'yx', '*', 'aXb', 'é', '日本', '😀', 'a"b', "it's",
  'two\nlines', 'back\\slash', ' ', 'tab\t', 'true', '1'];
const patterns = ['*', 'x*', '*x', '*x*', 'x**y', '\\*', 'x\\*y', 'x', '', '*é*', '*日*', '*\\\\*',
  'a*b', '\\u{1F600}*', '*\\n*', '* *', 'x\\x2a', '\\u{2a}y', 'x\\u{2A}\\*'];
const texts = {
  decimal: ['0.0', '1.0', '1.00', '-0.0001', '1.23', '12.3456', '922337203685477.5807',
    '-922337203685477.5808'],
  ipaddr: ['127.0.0.1', '10.0.0.0/8', '10.1.2.3', '10.1.2.3/32', '0.0.0.0/0', '224.0.0.1', '::1',
    '::1/128', '::/0', 'ff00::/8', 'ff02::1', '2001:db8::/32', '2001:db8:0:0:0:0:0:1'],
  datetime: ['1970-01-01', '2024-02-29', '2024-02-29T12:30:45Z', '2024-02-29T12:30:45.678Z',
    '1969-12-31T23:59:59.999Z', '2024-03-01T00:00:00+0530', '0000-01-01', '9999-12-31',
    '2024-02-29T23:59:59-2359'],
  duration: ['0ms', '1ms', '-1ms', '1h', '1d2h3m4s5ms', '-1d', '24h', '86400s',
    '9223372036854775807ms', '-9223372036854775808ms', '106751991167d'],
};
const badTexts = {
  decimal: ['1', '1.', '1.12345', '.5', '922337203685477.5808', '+1.0', ' 1.0'],
  ipaddr: ['1.2.3', '1.2.3.4/33', '01.2.3.4', '::ffff:1.2.3.4', '::1/129', '1.2.3.4/', 'x',
    '1::2::3', '10.0.0.0/08'],
  datetime: ['2024-02-30', '2023-02-29', '2024-1-1', '2024-01-01T24:00:00Z', '2024-01-01T00:00Z',
    '2024-01-01T00:00:60Z', '2024-01-01T00:00:00+2400', '2024-01-01T00:00:00', '10000-01-01'],
  duration: ['', '1', '1h1d', '1x', '9223372036854775808ms', '1h ', '--1h', '1.5h', '1h1h'],
};
export const constructors = { decimal: 'decimal', ipaddr: 'ip', datetime: 'datetime',
  duration: 'duration' };
export const extensions = Object.keys(constructors);
export const primitives = ['Bool', 'Long', 'String'];

const escaped = (character) => {
  if (character === '"' || character === '\\') return `\\${character}`;
  if (character === '\n') return '\\n';
  return character < ' ' ? `\\u{${character.codePointAt(0).toString(16)}}` : character;
};
export const quote = (text) => `"${[...text].map(escaped).join('')}"`;
export const isWord = (name) => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) &&
  !/^(true|false|if|then|else|in|is|like|has|__cedar)$/.test(name);
export const nameText = (name) => isWord(name) ? name : quote(name);
export const member = (object, name) => isWord(name) ? `${object}.${name}`
  : `${object}[${quote(name)}]`;

// One of `oneOf` is refused by its constructor.
const extensionText = (random, kind, oneOf) =>
  random.pick(random.below(oneOf) === 0 ? badTexts[kind] : texts[kind]);

export function literal(random, kind) {
  switch (kind) {
    case 'Bool': return random.pick(['true', 'true', 'false']);
    case 'Long': return random.pick(random.chance(12) ? wideLongs : longs);
    case 'String': return quote(random.pick(strings));
    default: return `${constructors[kind]}("${extensionText(random, kind, 60)}")`;
  }
}

export const pattern = (random) => `"${random.pick(patterns)}"`;

// As JSON; `isBare` where a schema says what a text is.
export function json(random, kind, isBare) {
  switch (kind) {
    case 'Bool': return random.chance(60);
    case 'Long': return Number(random.pick(longs));
    case 'String': return random.pick(strings);
    default: {
      const text = extensionText(random, kind, 800);
      if (isBare) return random.chance(50) ? text : { fn: constructors[kind], arg: text };
      return { __extn: { fn: constructors[kind], arg: text } };
    }
  }
}
