import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A DynamoDB engine in its own process and on its own port, which only this machine can reach. */
export interface EmbeddedDynamoDb {
  endpoint: string;
  /** The id of its process, for tests that kill it. */
  pid: number;
  stop(): Promise<void>;
}

export interface EmbeddedDynamoDbOptions {
  /** The SQLite file; the engine keeps nothing if absent. */
  file?: string;
  /** Called once if the running engine ends without `stop`. It is never started again, because its callers must learn of it. */
  onDeath?: (why: string) => void;
}

const HOST = '127.0.0.1';
const READY_MS = 10_000;
const STOP_MS = 1_000;
const PORT_ATTEMPTS = 5;

/**
 * The engine must not outlive this process, even if this process is killed. So a shell waits on its standard input and kills the engine
 * when that closes. `exec` makes the engine the process that was spawned, so that its end is seen here.
 */
const TIED_TO_STDIN = 'exec 3<&0; (read -r _ <&3; kill -9 $$) </dev/null >/dev/null 2>&1 & exec "$@" </dev/null 3<&-';

export async function startEmbeddedDynamoDb(options: EmbeddedDynamoDbOptions = {}): Promise<EmbeddedDynamoDb> {
  const binary = engineBinary();
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(await freePort(), binary, options);
    } catch (error) {
      // Another process may have taken the port since it was found free.
      if (attempt === PORT_ATTEMPTS || !String(error).includes('already in use')) throw error;
    }
  }
}

async function startOn(port: number, binary: string, { file, onDeath }: EmbeddedDynamoDbOptions): Promise<EmbeddedDynamoDb> {
  const args = ['--host', HOST, '--port', String(port), ...(file === undefined ? [] : ['--db-path', file])];
  const child = spawn('/bin/sh', ['-c', TIED_TO_STDIN, 'brokkr-dynamodb', binary, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    // With its own process group the engine gets no Ctrl-C of the terminal. The host stops the engine when it no longer needs it.
    detached: true,
  });
  const output = outputOf(child);
  let isUp = false;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`cannot be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      child.stdin?.destroy();
      resolve(`ended with ${signal ?? code}: ${output().trim().slice(-500) || 'no output'}`);
    });
  });
  // If the engine ends before it is up, this function rejects instead.
  void ended.then((why) => isUp && onDeath?.(why));

  async function stop(): Promise<void> {
    isUp = false;
    child.kill('SIGTERM');
    if (await Promise.race([ended, delay(STOP_MS)])) return;
    child.kill('SIGKILL');
    await ended;
  }

  const endpoint = `http://${HOST}:${port}`;
  const { pid } = child;
  const failure = await Promise.race([answers(endpoint, output), ended]);
  if (failure === undefined && pid !== undefined) {
    isUp = true;
    return { endpoint, pid, stop };
  }
  await stop();
  throw new Error(`the embedded DynamoDB engine ${failure}`);
}

/** Resolves to undefined when the engine listens and answers, or to the reason if it doesn't in time. */
async function answers(endpoint: string, output: () => string): Promise<string | undefined> {
  for (const deadline = performance.now() + READY_MS; performance.now() < deadline; await delay(5)) {
    if (!output().includes('listening on')) continue;
    const response = await fetch(endpoint, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return undefined;
  }
  return `did not answer within ${READY_MS} ms: ${output().trim()}`;
}

/** The end of the process's output. The pipe is always read, so that the process never blocks. */
function outputOf(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-4_000);
  });
  return () => text;
}

function engineBinary(): string {
  try {
    return createRequire(import.meta.url).resolve('@dynoxide/linux-x64/dynoxide');
  } catch (cause) {
    throw new Error(
      `there is no embedded DynamoDB engine for ${process.platform}-${process.arch} here: set DYNAMODB_ENDPOINT to a DynamoDB, for example DynamoDB Local`,
      { cause },
    );
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, HOST, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
