import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { parse } from 'yaml';
import * as z from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const Settings = z.object({
  bundle: z.literal(true),
  minifyWhitespace: z.boolean(),
  minifySyntax: z.boolean(),
  sourcemap: z.boolean(),
  legalComments: z.literal('none'),
  plugins: z.string(),
  platform: z.literal('node'),
  target: z.string(),
  format: z.literal('esm'),
  mainFields: z.array(z.string()),
  exclude: z.array(z.string()),
  banner: z.object({ js: z.string() }),
});
const Service = z.object({ custom: z.object({ esbuild: Settings }) });

export interface BundledFunction {
  file: string;
  bytes: number;
  /** The npm packages in the bundle. */
  packages: string[];
  /** The packages that run when the function starts. The others run when an `import()` asks for them. */
  startPackages: string[];
}

/** Bundles one function as `npm run package` does, with the settings in serverless.yml. `module` is its file below functions/. */
export async function bundleFunction(module: string, folder: string): Promise<BundledFunction> {
  const { custom } = Service.parse(parse(readFileSync(join(ROOT, 'serverless.yml'), 'utf8'), { logLevel: 'silent' }));
  const { exclude, plugins, ...settings } = custom.esbuild;
  const file = join(folder, `${module.replaceAll('/', '-')}.mjs`);
  const { metafile } = await build({
    ...settings,
    absWorkingDir: ROOT,
    entryPoints: [`functions/${module}.ts`],
    outfile: file,
    external: exclude,
    plugins: createRequire(import.meta.url)(join(ROOT, plugins)),
    metafile: true,
  });
  const [output] = Object.values(metafile.outputs);
  return {
    file,
    bytes: output?.bytes ?? Number.NaN,
    packages: packagesOf(Object.keys(output?.inputs ?? {})),
    startPackages: packagesOf(importedAtStart(metafile, output?.entryPoint ?? '')),
  };
}

function packagesOf(inputs: readonly string[]): string[] {
  const names = inputs.flatMap((input) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** Returns the files that an entry point reaches by imports other than `import()`. */
function importedAtStart(metafile: Metafile, entryPoint: string): string[] {
  const reached = new Set([entryPoint]);
  for (const file of reached) {
    for (const { path, kind } of metafile.inputs[file]?.imports ?? []) if (kind !== 'dynamic-import') reached.add(path);
  }
  return [...reached];
}
