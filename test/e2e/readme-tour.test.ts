import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

/** The README's own words, run: `npm start -- --try`, then the commands between its tour markers, as a reader would paste them. */
const ROOT = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'brokkr-tour-'));
let server: ReturnType<typeof spawn>;
let url: string;
let adminPak: string;

const freePort = () =>
  new Promise<number>((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });

beforeAll(async () => {
  const port = await freePort();
  server = spawn(process.execPath, ['infra/host/main.ts', '--try'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: folder, PORT: String(port), BROKKR_DATA_DIR: join(folder, 'data') },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  url = `http://127.0.0.1:${port}`;
  const lines = createInterface({ input: server.stdout as NodeJS.ReadableStream });
  for await (const line of lines) {
    adminPak = /brokkr_\w+_\w+/.exec(line)?.[0] ?? '';
    if (adminPak) break;
  }
}, 30_000);
afterAll(async () => {
  if (server.exitCode === null) {
    const ended = new Promise((done) => server.once('exit', done));
    server.kill('SIGINT');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

test("the README's tour ends with the objects applied and a SUCCESS event", async () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const tour = readme.slice(readme.indexOf('<!-- tour:'), readme.indexOf('<!-- /tour -->'));
  const commands = [...tour.matchAll(/```bash\n([\s\S]*?)```/g)].map(([, block]) => block).join('\n');
  const script = commands
    .replace('http://127.0.0.1:3000', url)
    .replace('brokkr_…', adminPak)
    .replace('sleep 3', 'for n in $(seq 100); do api $ADMIN GET /agents/$AGENT_ID/events | grep -q SUCCESS && break; sleep 0.2; done');
  const { stdout } = await promisify(execFile)('bash', ['-eu', '-c', script], { cwd: folder, env: { PATH: process.env.PATH } });
  const event = stdout.slice(stdout.lastIndexOf('{\n  id:'));
  expect(event).toContain("event_type: 'DEPLOY'");
  expect(event).toContain("status: 'SUCCESS'");
  expect(event).toContain('objects_total: 2');
}, 60_000);
