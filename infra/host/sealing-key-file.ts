import { open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { newKeyLine } from '../../lib/platform/sealing/local-keys.ts';

/** Returns the path of the key file beside the data, which is made at the first start. Whoever loses it loses the providers' keys. */
export async function sealingKeyFile(dataDir: string): Promise<string> {
  const path = join(dataDir, 'sealing.key');
  if (await stat(path).catch(() => undefined)) return path;
  // The file gets its name when it is whole, so that a crash leaves no half key.
  const handle = await open(`${path}.new`, 'w', 0o600);
  try {
    await handle.writeFile(`${newKeyLine()}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.new`, path);
  return path;
}
