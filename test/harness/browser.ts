import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

/** A real browser, driven over its debugging protocol. */
export interface Page {
  open(url: string): Promise<void>;
  /** Returns the value of an expression in the page; a promise is awaited. */
  evaluate(expression: string): Promise<unknown>;
  /** Resolves as soon as the expression is true, rejects after ten seconds. */
  waitFor(expression: string): Promise<void>;
  /** The errors, refused resources and exceptions of the page. */
  complaints: string[];
  /** The addresses that the page requested. */
  requested: string[];
  screenshot(): Promise<Buffer>;
  close(): Promise<void>;
}

/** The path of the installed browser; undefined if there is none. */
export const browserPath: string | undefined = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== '' && existsSync(path));

const Received = z.object({
  id: z.int().optional(),
  method: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
const Evaluated = z.object({
  result: z.object({ value: z.unknown() }).partial(),
  exceptionDetails: z.object({ exception: z.object({ description: z.string() }).partial() }).optional(),
});
const Screenshot = z.object({ data: z.string() });

export async function openBrowser(path: string, { colorScheme = 'light' }: { colorScheme?: string } = {}): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'brokkr-browser-'));
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--window-size=1280,1600'];
  const child = spawn(path, [...flags, `--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      const found = /DevTools listening on ws:\/\/[^:]+:(\d+)/.exec(output)?.[1];
      if (found) resolve(found);
    });
    void ended.then(() => reject(new Error(`the browser ended: ${output.slice(-500)}`)));
  });
  const targets = z.array(z.object({ type: z.string(), webSocketDebuggerUrl: z.string() }));
  const pages = targets.parse(await (await fetch(`http://127.0.0.1:${port}/json/list`)).json());
  const socket = new WebSocket(pages.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));

  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const complaints: string[] = [];
  const requested: string[] = [];
  socket.addEventListener('message', ({ data }) => {
    const { id, method, params, result, error } = Received.parse(JSON.parse(String(data)));
    if (id !== undefined) {
      if (error) waiting.get(id)?.reject(new Error(error.message));
      else waiting.get(id)?.resolve(result);
      waiting.delete(id);
    }
    if (method === 'Log.entryAdded' || method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params));
    if (method === 'Network.requestWillBeSent') requested.push(Requested.parse(params).request.url);
  });
  let last = 0;
  const call = (method: string, params: object = {}) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await call(`${domain}.enable`);
  await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: colorScheme }] });

  const page: Page = {
    complaints,
    requested,
    async open(url) {
      await call('Page.navigate', { url });
      await page.waitFor(`location.href.startsWith(${JSON.stringify(url)}) && document.readyState === 'complete'`);
    },
    async evaluate(expression) {
      const answer = await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
      const { result, exceptionDetails } = Evaluated.parse(answer);
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'an exception in the page');
      return result.value;
    },
    async waitFor(expression) {
      for (const deadline = performance.now() + 10_000; !(await page.evaluate(expression)); ) {
        if (performance.now() > deadline) throw new Error(`this never became true in the page: ${expression}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    screenshot: async () => Buffer.from(Screenshot.parse(await call('Page.captureScreenshot')).data, 'base64'),
    async close() {
      socket.close();
      child.kill('SIGKILL');
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return page;
}
const Requested = z.object({ request: z.object({ url: z.string() }) });
