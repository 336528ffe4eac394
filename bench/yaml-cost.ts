import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BenchTable, rounded } from './statistics.ts';

const SHAPES = [
  'a block of lines',
  'keys',
  'JSON',
  'dashes at the root',
  'dashes below a key',
  'nested dashes and an anchor',
  'merge keys',
];
const CHILD = join(import.meta.dirname, '../test/agent/yaml-cost-child.ts');

/** Measures the CPU time and peak memory of reading the largest YAML, 4 MiB, in a new process, including the start of its thread. */
export async function yamlCost(): Promise<BenchTable> {
  const rows: string[][] = [];
  for (const shape of SHAPES) {
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', CHILD, shape], { timeout: 60_000 });
    const { outcome, cpuMs, peakMegabytes }: { outcome: string; cpuMs: number; peakMegabytes: number } = JSON.parse(stdout);
    rows.push([shape, outcome, rounded(cpuMs, 0), rounded(peakMegabytes, 0)]);
  }
  return {
    title: '4 MiB of YAML',
    about: 'A new process reads the text, including the start of its thread. The aim: at most 1,500 ms, and 250 MB more than the cheapest.',
    columns: ['the text repeats', 'outcome', 'CPU, ms', 'peak memory of the process, MB'],
    rows,
  };
}
