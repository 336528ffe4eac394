/** Attributes of a row that count durations: `h_<bin>` for whole answers, `t_<bin>` for first tokens. */
export const HISTOGRAM_PREFIX = 'h_';
export const TTFT_PREFIX = 't_';

/** Each bin ends a tenth above its start, so that a percentile is off by five per cent at the most. */
const GROWTH = Math.log(1.1);

const binOf = (ms: number): number => (ms <= 1 ? 0 : Math.ceil(Math.log(ms) / GROWTH));
const middleOf = (bin: number): number => (bin === 0 ? 1 : Math.exp((bin - 0.5) * GROWTH));

export function addLatency(counts: Record<string, number>, prefix: string, ms: number): void {
  const name = `${prefix}${binOf(ms)}`;
  counts[name] = (counts[name] ?? 0) + 1;
}

/** The duration below which this part of the counted ones lies; null if none was counted. Rows are merged by adding their counts. */
export function percentile(rows: readonly Readonly<Record<string, unknown>>[], prefix: string, part: number): number | null {
  const bins = new Map<number, number>();
  let total = 0;
  for (const row of rows) {
    for (const [name, count] of Object.entries(row)) {
      if (!name.startsWith(prefix) || typeof count !== 'number') continue;
      const bin = Number(name.slice(prefix.length));
      bins.set(bin, (bins.get(bin) ?? 0) + count);
      total += count;
    }
  }
  let seen = 0;
  for (const [bin, count] of [...bins].sort(([a], [b]) => a - b)) {
    seen += count;
    if (seen >= part * total) return middleOf(bin);
  }
  return null;
}
