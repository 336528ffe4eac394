import { enableCompileCache } from 'node:module';

// Node keeps compiled code in the machine's temporary folder, so that the next start takes less than half the CPU.
enableCompileCache();
const { runHost } = await import('./host-command.ts');

runHost().catch((error: unknown) => {
  process.stderr.write(`brokkr: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
