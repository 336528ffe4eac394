import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** Runs the commands of the README as a reader would paste them: `npm start -- --try`, then those between the tour markers. */
const ROOT = resolve(import.meta.dirname, '../..');

export interface Tour {
  /** Runs the commands. Resolves to their output from the newest event on. */
  walk(cluster: 'memory' | 'kubernetes'): Promise<string>;
  /** Runs the commands up to the first one that parses an answer, without replacing the key. Resolves to the error that is printed. */
  walkWithoutKey(): Promise<string>;
  /** Creates an agent's record and starts the agent as a process, on a cluster in memory. Resolves to its log up to its start. */
  runAgent(): Promise<string>;
  /** Runs the commands of the tour of the AI gateway. Resolves to everything that they print. */
  walkGateway(): Promise<string>;
  /** The names in the folder in which the commands ran. */
  files(): string[];
  stop(): Promise<void>;
}

/** The commands between two markers of the README. */
function commands(marker: 'tour' | 'agent' | 'gateway'): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const part = readme.slice(readme.indexOf(`<!-- ${marker}:`), readme.indexOf(`<!-- /${marker} -->`));
  return [...part.matchAll(/```bash\n([\s\S]*?)```/g)].map(([, block]) => block).join('\n');
}

const freePort = () =>
  new Promise<number>((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** Starts the server as the README does, with these flags after `--try`. */
export async function startTour(flags: readonly string[] = []): Promise<Tour> {
  const folder = mkdtempSync(join(tmpdir(), 'brokkr-tour-'));
  const port = await freePort();
  const server = spawn(process.execPath, ['infra/host/main.ts', '--try', ...flags], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: folder, PORT: String(port), BROKKR_DATA_DIR: join(folder, 'data') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((done) => server.once('exit', done));
  let adminPak = '';
  for await (const line of createInterface({ input: server.stdout })) {
    adminPak = /brokkr_\w+_\w+/.exec(line)?.[0] ?? '';
    if (adminPak) break;
  }
  const env = { PATH: process.env.PATH };
  const here = (script: string) => script.replaceAll('http://127.0.0.1:3000', `http://127.0.0.1:${port}`);
  const run = (script: string) => promisify(execFile)('bash', ['--norc', '-eu', '-c', here(script)], { cwd: folder, env });
  return {
    async walk(cluster) {
      const { stdout } = await run(
        commands('tour')
          .replace('brokkr_…', adminPak)
          .replace('cluster_name=memory', `cluster_name=${cluster}`)
          .replace(
            'sleep 3',
            'for n in $(seq 100); do api "$ADMIN" GET /agents/$AGENT_ID/events | grep -q SUCCESS && break; sleep 0.2; done',
          )
          .replace(
            'sleep 15',
            'for n in $(seq 150); do api "$CI" GET /work-order-log/$ORDER_ID | grep -q result_message && break; sleep 0.2; done',
          ),
      );
      return stdout.slice(stdout.indexOf('{\n  id:'));
    },
    walkWithoutKey: async () => (await run(commands('tour').split('CI=')[0] ?? '').catch((error) => error)).stderr,
    async runAgent() {
      const functions = commands('tour').split('GENERATOR=')[0]?.replace('brokkr_…', adminPak);
      // The agent's program is in the project's folder. Its key and its state stay in the test's folder.
      const agent = commands('agent')
        .replace('npm run agent', `exec '${process.execPath}' '${ROOT}/agent/main.ts'`)
        .replaceAll('BROKKR__AGENT__BROKER_URL', 'BROKKR__AGENT__CLUSTER=memory BROKKR__AGENT__HEALTH_PORT=0 BROKKR__AGENT__BROKER_URL');
      const child = spawn('bash', ['--norc', '-eu', '-c', here(`${functions}\n${agent}`)], {
        cwd: folder,
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let logged = '';
      for await (const line of createInterface({ input: child.stderr })) {
        logged += `${line}\n`;
        if (line.includes('"agent_started"')) child.kill('SIGTERM');
      }
      return logged;
    },
    async walkGateway() {
      const script = here(commands('gateway')).replace(
        /(call "\$TOKEN" GET '\/api\/v1\/analytics\/requests)/,
        'for n in $(seq 100); do call "$TOKEN" GET /api/v1/analytics/requests?status=200 | grep -q count-10 && break; sleep 0.2; done\n$1',
      );
      // OpenAI's client is found from the project's folder.
      return (await promisify(execFile)('bash', ['--norc', '-eu', '-c', script], { cwd: ROOT, env })).stdout;
    },
    files: () => readdirSync(folder),
    async stop() {
      server.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
