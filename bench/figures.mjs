// Arithmetic of the benches, apart so that tests/tools can hold it.

export const median = (numbers) => {
  if (numbers.length === 0) throw new Error('no figures');
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

// The ratio of two figures of each round, and of the rounds the median: what disturbed a round
// disturbed both.  own: what is no road's own work, in each of them.
export const pairedRatio = (rounds, { over, under, own = 0 }) =>
  median(rounds.map((round) => {
    const below = round[under] - own;
    if (!(below > 0)) throw new Error(`${under}: no time of its own`);
    return (round[over] - own) / below;
  }));

// The median of the paired differences.
export const pairedDifference = (rounds, { over, under }) =>
  median(rounds.map((round) => round[over] - round[under]));

// callgrind_annotate --inclusive=yes: function → instructions with all that it calls.
export const inclusiveOf = (text) => {
  const costs = new Map();
  for (const line of text.split('\n')) {
    const found =
      /^\s*([\d,]+) \([ \d.]+%\)\s+(?:\S*:)?(PROGRAM TOTALS|[A-Za-z_][\w.]*)( |$)/.exec(line);
    // What calls itself stands there once more, as NAME'2, and what has lines of a header in
    // it once for that file: the plain one of the most has all of it.
    if (!found) continue;
    const cost = Number(found[1].replaceAll(',', ''));
    costs.set(found[2], Math.max(cost, costs.get(found[2]) ?? 0));
  }
  return costs;
};

// Instructions of each part for one call: parts is { name: [functions that do not call each
// other] }.  A function that was never called cost nothing; a part of which none was, is wrong.
export const partsOf = (costs, parts, calls) =>
  Object.fromEntries(Object.entries(parts).map(([name, functions]) => {
    if (!functions.some((one) => costs.has(one))) throw new Error(`${name}: none was called`);
    const sum = functions.reduce((all, one) => all + (costs.get(one) ?? 0), 0);
    return [name, Math.round(sum / calls)];
  }));
