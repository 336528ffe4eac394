import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { YAML_SHAPES } from './yaml-shapes.ts';

interface Cost {
  name: string;
  outcome: string;
  cpuMs: number;
  /** The peak of the process since its start. */
  peakMegabytes: number;
}

/** Reads shapes in a process of their own. */
const costsOf = (shapes: readonly string[]): Promise<Cost[]> =>
  new Promise((resolve, reject) => {
    const child = join(import.meta.dirname, 'yaml-cost-child.ts');
    execFile(process.execPath, ['--expose-gc', child, ...shapes], { timeout: 280_000, env: {} }, (error, stdout) => {
      if (error) reject(error);
      else
        resolve(
          stdout
            .trim()
            .split('\n')
            .map((line): Cost => JSON.parse(line)),
        );
    });
  });

const CODES = /^(?:taken|too_\w+|not_a_mapping|syntax|unclear_\w+|duplicate_key|custom_tag)$/;

test('no text of 4 MiB costs much CPU, whatever is in it, and the memory of many does not add up', async () => {
  const costs = await costsOf(Object.keys(YAML_SHAPES));
  expect(costs).toHaveLength(Object.keys(YAML_SHAPES).length);
  expect(costs.filter(({ outcome }) => !CODES.test(outcome))).toEqual([]);
  // At most 1.3 s where nothing else runs.
  expect(costs.filter(({ cpuMs }) => cpuMs > 2_500)).toEqual([]);
  expect(costs.at(-1)?.peakMegabytes).toBeLessThan(700);
}, 300_000);

test.each(['dashes and a mistake', 'nested dashes and an anchor', 'keys of keys in lines', 'merge keys', 'JSON'])(
  'a text of 4 MiB that is among the worst costs less than 250 MB: %s',
  async (shape) => {
    const [cheap] = await costsOf(['dashes at the root']);
    const [worst] = await costsOf([shape]);
    expect((worst?.peakMegabytes ?? 0) - (cheap?.peakMegabytes ?? 0)).toBeLessThan(250);
  },
  60_000,
);
