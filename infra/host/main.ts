import { enableCompileCache } from 'node:module';

// Compiled code is kept in the machine's temporary folder: a start spends less than half the CPU on the next time.
enableCompileCache();
const { runHost } = await import('./host-command.ts');

runHost().catch((error: unknown) => {
  process.stderr.write(`brokkr: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
