/** `node infra/agent/bundle-agent.ts [folder]`: the agent and everything it needs in one file, for the container. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');

/** Writes `agent/main.js` and the package file it reads its version from. Resolves to the path of the former. */
export async function bundleAgent(folder: string): Promise<string> {
  const outfile = join(folder, 'agent/main.js');
  await build({
    entryPoints: [join(root, 'agent/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'linked',
    logLevel: 'warning',
    // Some dependencies are CommonJS and look for Node's own modules with `require`, which a module file does not have.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  });
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ name: 'brokkr-agent', version, type: 'module' })}\n`);
  return outfile;
}

if (import.meta.main) console.log(await bundleAgent(resolve(process.argv[2] ?? 'dist')));
