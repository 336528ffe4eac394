import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bundleAgent } from '../../infra/agent/bundle-agent.ts';

let folder: string;
let main: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'brokkr-bundle-'));
  main = await bundleAgent(folder);
});
afterAll(() => rm(folder, { recursive: true }));

/** As in the container: no modules beside it, and nothing of this environment. */
const run = (environment: Record<string, string>): Promise<{ code: unknown; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [main], { env: environment, cwd: folder, timeout: 20_000 }, (error, _stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stderr }),
    );
  });

test("the container's one file is all it needs, and says what its configuration lacks", async () => {
  expect(await readdir(folder)).toEqual(['agent', 'package.json']);
  expect(await run({})).toEqual({ code: 1, stderr: expect.stringContaining('BROKKR__AGENT__PAK') });
});

test('the Kubernetes client in it works', async () => {
  const { code, stderr } = await run({ BROKKR__AGENT__PAK: 'x', BROKKR__AGENT__KUBECONFIG_PATH: join(folder, 'nowhere') });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('no access to the cluster: ENOENT') });
});
