import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bundleAgent } from '../../infra/agent/bundle-agent.ts';
import type { YamlQuestion } from '../../lib/fleet/protocol/yaml-thread.ts';

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

test("the container's two files are all it needs, and it says what its configuration lacks", async () => {
  expect(await readdir(folder)).toEqual(['agent', 'package.json']);
  expect((await readdir(join(folder, 'agent'))).filter((name) => name.endsWith('.js'))).toEqual(['main.js', 'yaml-worker.js']);
  expect(await run({})).toEqual({ code: 1, stderr: expect.stringContaining('BROKKR__AGENT__PAK') });
});

test('the Kubernetes client in it works', async () => {
  const { code, stderr } = await run({ BROKKR__AGENT__PAK: 'x', BROKKR__AGENT__KUBECONFIG_PATH: join(folder, 'nowhere') });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('no access to the cluster: ENOENT') });
});

test('the thread for large texts that the container brings along reads them', async () => {
  const worker = new Worker(join(folder, 'agent/yaml-worker.js'), { env: {}, execArgv: [] });
  worker.postMessage({ text: 'a: yes\n---\nb: 9007199254740993\n', wantsValues: true } satisfies YamlQuestion);
  const [answer] = await once(worker, 'message');
  await worker.terminate();
  expect(answer).toEqual({
    count: 2,
    documents: [
      { json: '{"a":true}', document: 1, line: 1 },
      { json: '{"b":9007199254740993}', document: 2, line: 3 },
    ],
  });
});
