import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { httpGroups, queueGroups, scheduleGroups, streamGroups } from '../functions/registry.ts';
import { bundleFunction } from '../infra/resources/bundle-function.ts';
import { type BenchTable, rounded } from './statistics.ts';

const ROUNDS = 15;

/** Loads only modules that any client of AWS needs and that the Lambda runtime has loaded already. */
const BARE = "for (const name of ['http', 'https', 'crypto', 'stream', 'zlib']) process.getBuiltinModule(name);\n";

/** Measures the size of each function's bundle and the CPU time of its import. */
export async function bundles(): Promise<BenchTable> {
  const folder = await mkdtemp(join(tmpdir(), 'brokkr-bundles-'));
  try {
    const bare = { name: 'bare Node', file: join(folder, 'bare.mjs'), bytes: BARE.length };
    await writeFile(bare.file, BARE);
    const functions = [bare];
    for (const { name, file } of [...httpGroups, ...queueGroups, ...scheduleGroups, ...streamGroups]) {
      functions.push({ name, ...(await bundleFunction(file, folder)) });
    }
    const least = new Map<string, number>();
    // The functions take turns, so that a busy moment of the machine affects all of them.
    for (let round = 0; round < ROUNDS; round++) {
      for (const { file } of functions) least.set(file, Math.min(least.get(file) ?? Number.POSITIVE_INFINITY, await importCpuMs(file)));
    }
    return {
      title: 'Functions on a cold start',
      about: `Each function is bundled as for AWS. The CPU time of its import is the least of ${ROUNDS} new processes. "Bare Node" loads only modules that Lambda's own runtime has loaded before a function. The aims: at most 1 MB and 60 ms for what agents call, 100 ms for the others, and no store client in health and static pages.`,
      columns: ['function', 'KB', 'CPU ms to import'],
      rows: functions.map(({ name, file, bytes }) => [name, rounded(bytes / 1_000, 0), rounded(least.get(file) ?? Number.NaN, 1)]),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function importCpuMs(file: string): Promise<number> {
  const script = `const before = process.cpuUsage(); await import(${JSON.stringify(file)}); const { user, system } = process.cpuUsage(before);
    console.log((user + system) / 1000); process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 30_000 });
  return Number(stdout);
}
