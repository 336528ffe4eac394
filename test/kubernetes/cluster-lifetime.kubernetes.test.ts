import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { until } from './boot-probes.ts';
import { attachCluster, type TestCluster } from './start-cluster.ts';
import { describeKubernetes } from './test-cluster.ts';

/** Starts another cluster than the one of this test run, with the program of `npm run cluster`. */
async function runCluster(): Promise<{ owner: ChildProcess; cluster: TestCluster }> {
  const owner = spawn(process.execPath, [join(import.meta.dirname, 'run-cluster.ts')], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let output = '';
  const kubeconfig = await new Promise<string>((resolve, reject) => {
    owner.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
      const path = /KUBECONFIG=(\S+)/.exec(output)?.[1];
      if (path !== undefined) resolve(path);
    });
    owner.once('exit', () => reject(new Error(`it ended without a cluster: ${output}`)));
  });
  return { owner, cluster: await attachCluster(dirname(kubeconfig)) };
}

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

const isGone = ({ directory, processIds }: TestCluster): boolean => !processIds.some(isAlive) && !existsSync(directory);

describeKubernetes('the end of a cluster', () => {
  test('a cluster leaves no process and no file behind if its owner is killed', async () => {
    const { owner, cluster } = await runCluster();
    expect(cluster.processIds.every(isAlive)).toBe(true);

    owner.kill('SIGKILL');

    await until('everything is gone', AbortSignal.timeout(10_000), async () => isGone(cluster));
  }, 120_000);

  test('a cluster leaves no process and no file behind if its supervisor is killed, and its owner fails', async () => {
    const { owner, cluster } = await runCluster();
    const exit = once(owner, 'exit');

    process.kill(cluster.supervisorId, 'SIGKILL');

    expect(await exit).toEqual([1, null]);
    await until('everything is gone', AbortSignal.timeout(10_000), async () => isGone(cluster));
  }, 120_000);

  test('a cluster leaves no process and no file behind after Ctrl-C, which is a success', async () => {
    const { owner, cluster } = await runCluster();
    const exit = once(owner, 'exit');

    owner.kill('SIGINT');

    expect(await exit).toEqual([0, null]);
    expect(isGone(cluster)).toBe(true);
  }, 120_000);
});
