import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomSecret } from '../../../lib/platform/ids.ts';

const FILE = 'jwt.secret';

/**
 * The secret that signs access tokens on a host that was given none. It stays in a file beside the embedded data, so that sessions
 * outlive a restart. Without a data folder it is lost with everything else.
 */
export async function tokenSecret(dataDir: string | undefined): Promise<string> {
  const made = Buffer.from(randomSecret(32)).toString('hex');
  if (dataDir === undefined) return made;
  const file = join(dataDir, FILE);
  try {
    // Only the first start creates the file, and no other user may read it.
    await writeFile(file, made, { flag: 'wx', mode: 0o600 });
    return made;
  } catch {
    const kept = (await readFile(file, 'utf8')).trim();
    if (kept.length < 32) throw new Error(`${file} holds no secret of 32 characters: remove it, and every user has to sign in again`);
    return kept;
  }
}
