import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const STOP_MS = 5_000;
const QUIET = { SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' };

export interface ServerlessOptions {
  httpPort: number;
  lambdaPort: number;
  /** Environment variables of the functions, in addition to those of serverless.yml. */
  env: Record<string, string>;
}

/** Starts `serverless offline` in a process of its own, which ends with this one. */
export function startServerless({ httpPort, lambdaPort, env }: ServerlessOptions): { process: ChildProcess; stop(): Promise<void> } {
  const program = fileURLToPath(import.meta.resolve('serverless/bin/serverless.js'));
  const ports = ['--host', '127.0.0.1', '--httpPort', String(httpPort), '--lambdaPort', String(lambdaPort)];
  const child = spawn(process.execPath, [program, 'offline', '--stage', 'dev', '--localEnvironment', '--noSponsor', ...ports], {
    cwd: ROOT,
    env: { ...process.env, ...env, ...QUIET, AWS_REGION: 'us-east-1', BROKKR_BUILD_FOLDER: '.esbuild-offline' },
    stdio: 'inherit',
    // With its own process group it gets no Ctrl-C of the terminal. This process stops it in order.
    detached: true,
  });
  const exited = once(child, 'exit');
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    process: child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGINT');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(late);
    },
  };
}

const BatchResponse = z.object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })) });

/** Calls a function of serverless-offline, as AWS's event source mapping would. */
export async function invokeFunction(lambdaPort: number, name: string, event: SQSEvent): Promise<SQSBatchResponse> {
  const url = `http://127.0.0.1:${lambdaPort}/2015-03-31/functions/${name}/invocations`;
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(event),
    headers: { 'content-type': 'application/octet-stream' },
  });
  if (!response.ok) throw new Error(`${name} answered ${response.status}`);
  return BatchResponse.parse(await response.json());
}

/** Returns this port, or any free one if it is 0. Rejects if the port is taken. */
export async function freePort(port = 0): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
