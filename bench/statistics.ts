/** The value below which this share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export const rounded = (value: number, digits = 2): string => value.toFixed(digits);

export interface BenchTable {
  title: string;
  /** The method of the benchmark, in a sentence or two. */
  about: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}

export function markdown({ title, about, columns, rows }: BenchTable): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [`## ${title}`, '', about, '', line(columns), line(columns.map(() => '---')), ...rows.map(line), ''].join('\n');
}
