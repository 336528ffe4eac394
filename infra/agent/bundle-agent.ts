/** `node infra/agent/bundle-agent.ts [folder]`: bundles the agent, its thread for large texts and all dependencies for the container. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');

/** Writes `agent/main.js`, `agent/yaml-worker.js` and the package file that holds the version. Resolves to the path of the first. */
export async function bundleAgent(folder: string): Promise<string> {
  const outdir = join(folder, 'agent');
  await build({
    entryPoints: [
      { in: join(root, 'agent/main.ts'), out: 'main' },
      { in: join(root, 'lib/fleet/protocol/yaml-worker.ts'), out: 'yaml-worker' },
    ],
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'linked',
    logLevel: 'warning',
    // Some dependencies are CommonJS and load Node's own modules by `require`, which an ES module does not have.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  });
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ name: 'brokkr-agent', version, type: 'module' })}\n`);
  return join(outdir, 'main.js');
}

if (import.meta.main) console.log(await bundleAgent(resolve(process.argv[2] ?? 'dist')));
