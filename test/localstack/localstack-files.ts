import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { engineCache } from '../database/engine-process.ts';

const run = promisify(execFile);

/** The last release that needs no account, and versions of packages that it still works with. */
const PACKAGES = ['localstack-core[runtime]==4.14.0', 'cbor2<6', 'pyopenssl>=25,<26', 'service_identity'];

const folderOf = () => join(engineCache('localstack'), createHash('sha256').update(PACKAGES.join('\n')).digest('hex').slice(0, 16));

/** Finds a Python 3.13 that runs, on the PATH or among pyenv's versions. */
export async function findPython(): Promise<string | undefined> {
  const pyenv = process.env.PYENV_ROOT || join(homedir(), '.pyenv');
  for (const candidate of ['python3.13', ...globSync(join(pyenv, 'versions/3.13*/bin/python3.13'))]) {
    const runs = await run(candidate, ['-c', 'import venv']).then(
      () => true,
      () => false,
    );
    if (runs) return candidate;
  }
  return undefined;
}

/** Installs LocalStack into an environment, once, in about a minute. Returns the path of the environment's Python. */
export async function installLocalStack(python: string, report: (line: string) => void): Promise<string> {
  const folder = folderOf();
  const installed = join(folder, 'bin/python');
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return installed;
  report('installing LocalStack (about a minute, once)');
  await rm(folder, { recursive: true, force: true });
  await run(python, ['-m', 'venv', folder]);
  await run(installed, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES], { maxBuffer: 16 * 1024 * 1024 });
  // An environment cannot be moved, so a file in it says that it is complete.
  await writeFile(complete, '');
  return installed;
}
