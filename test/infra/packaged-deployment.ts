import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const Resource = z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) });
const Template = z.object({ Resources: z.record(z.string(), Resource) });

export type Resource = z.infer<typeof Resource>;
export interface Deployment {
  resources: Record<string, Resource>;
  /** Returns the resources of one type with their logical ids. */
  ofType(type: string): [string, Resource][];
  /** The folder of the functions' archives. */
  folder: string;
  remove(): Promise<void>;
}

/** Runs `npm run package` with the framework itself, without an account or credentials. It sees only PATH and HOME. */
export async function packageDeployment(): Promise<Deployment> {
  const folder = await mkdtemp(join(tmpdir(), 'brokkr-package-'));
  const serverless = join(ROOT, 'node_modules/.bin/serverless');
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH: `${join(ROOT, 'node_modules/.bin')}:${PATH}`, HOME, SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' };
  await promisify(execFile)(serverless, ['package', '--stage', 'dev', '--package', folder], { cwd: ROOT, env });
  const text = await readFile(join(folder, 'cloudformation-template-update-stack.json'), 'utf8');
  const { Resources: resources } = Template.parse(JSON.parse(text));
  return {
    resources,
    ofType: (type) => Object.entries(resources).filter(([, resource]) => resource.Type === type),
    folder,
    remove: () => rm(folder, { recursive: true }),
  };
}
