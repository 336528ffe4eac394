import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** The README's own words, run: `npm start -- --try`, then the commands between its tour markers, as a reader would paste them. */
const ROOT = resolve(import.meta.dirname, '../..');

export interface Tour {
  /** Runs the commands; resolves to what the last one printed: the newest event. */
  walk(cluster: 'memory' | 'kubernetes'): Promise<string>;
  stop(): Promise<void>;
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
  return {
    async walk(cluster) {
      const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
      const tour = readme.slice(readme.indexOf('<!-- tour:'), readme.indexOf('<!-- /tour -->'));
      const script = [...tour.matchAll(/```bash\n([\s\S]*?)```/g)]
        .map(([, block]) => block)
        .join('\n')
        .replace('http://127.0.0.1:3000', `http://127.0.0.1:${port}`)
        .replace('brokkr_…', adminPak)
        .replace('cluster_name=memory', `cluster_name=${cluster}`)
        .replace('sleep 3', 'for n in $(seq 100); do api $ADMIN GET /agents/$AGENT_ID/events | grep -q SUCCESS && break; sleep 0.2; done');
      const { stdout } = await promisify(execFile)('bash', ['-eu', '-c', script], { cwd: folder, env: { PATH: process.env.PATH } });
      return stdout.slice(stdout.lastIndexOf('{\n  id:'));
    },
    async stop() {
      server.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
