import { connect } from 'node:net';

export interface LoadTarget {
  url: string;
  headers: Readonly<Record<string, string>>;
  model: string;
}

export interface LoadResult {
  /** Milliseconds of each call: to its end, and to the first byte of its body. */
  totalMs: number[];
  firstByteMs: number[];
  /** The beginnings of answers that were none. */
  failed: string[];
}

const PROMPT = 'Tell me what a gateway is, in one sentence. '.repeat(5);

/** Sends calls over raw connections, so that the caller costs as little as it can. Each connection waits for an answer before the next call. */
export async function load(target: LoadTarget, { calls, connections, stream }: { calls: number; connections: number; stream: boolean }) {
  const { hostname, port } = new URL(target.url);
  const body = JSON.stringify({ model: target.model, stream, messages: [{ role: 'user', content: PROMPT }] });
  const headers = {
    host: `${hostname}:${port}`,
    accept: 'application/json',
    'user-agent': 'bench',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...target.headers,
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const request = `POST /v1/chat/completions HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n${body}`;
  const result: LoadResult = { totalMs: [], firstByteMs: [], failed: [] };
  let left = calls;
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), hostname).setNoDelay(true);
      let [text, began, first] = ['', 0, 0];
      const next = () => {
        if (left-- <= 0) return void socket.destroy();
        [text, first, began] = ['', 0, performance.now()];
        socket.write(request);
      };
      socket.on('connect', next).on('error', reject).on('close', resolve);
      socket.on('data', (piece) => {
        text += piece.toString('latin1');
        const headEnd = text.indexOf('\r\n\r\n');
        if (headEnd < 0 || text.length === headEnd + 4) return;
        if (first === 0) first = performance.now();
        const length = /^content-length: (\d+)/im.exec(text.slice(0, headEnd))?.[1];
        if (length === undefined ? !text.endsWith('\r\n0\r\n\r\n') : text.length < headEnd + 4 + Number(length)) return;
        if (!text.startsWith('HTTP/1.1 200') || (stream && !text.includes('[DONE]'))) {
          result.failed.push(text.slice(0, 600));
          return next();
        }
        result.totalMs.push(performance.now() - began);
        result.firstByteMs.push(first - began);
        next();
      });
    });
  await Promise.all(Array.from({ length: connections }, one));
  return result;
}
