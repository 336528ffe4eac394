/** `npm run cluster:build`: builds everything that a test cluster needs into the user's cache, once. */
import { buildComponents } from './build-components.ts';
import { findBinaries, listMissingComponents } from './kubernetes-binaries.ts';

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort(new Error(`stopped by ${signal}`)));

const missing = listMissingComponents();
if (missing.length > 0)
  console.log(`To build: ${missing.map((component) => component.title).join('; ')}. About five minutes the first time.`);
try {
  await buildComponents({ report: console.log, signal: abort.signal });
  console.log('Everything is there:');
  for (const [name, path] of Object.entries(findBinaries() ?? {})) console.log(`  ${name.padEnd(24)}${path}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
