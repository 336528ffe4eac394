import { createServer } from 'node:http';

/** A provider that answers at once: whole, or in 50 chunks of one turn of the event loop each. Ends with its parent process. */
const CHUNKS = 50;
const USAGE = { prompt_tokens: 60, completion_tokens: CHUNKS, total_tokens: 60 + CHUNKS };
const base = { id: 'chatcmpl-bench', created: 1_767_225_600, model: 'gpt-4o-2024-08-06', system_fingerprint: 'fp_1' };
const whole = JSON.stringify({
  ...base,
  object: 'chat.completion',
  choices: [
    { index: 0, message: { role: 'assistant', content: 'word '.repeat(CHUNKS), refusal: null }, logprobs: null, finish_reason: 'stop' },
  ],
  usage: USAGE,
});
const frame = (delta: unknown, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, logprobs: null, finish_reason }], usage: null })}\n\n`;
const frames = [
  frame({ role: 'assistant', content: '', refusal: null }),
  ...Array.from({ length: CHUNKS - 2 }, () => frame({ content: 'word ' })),
  frame({}, 'stop'),
];
const end = `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`;

const server = createServer(async (request, response) => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  const { stream } = JSON.parse(Buffer.concat(pieces).toString());
  if (!stream)
    return void response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(whole) }).end(whole);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  for (const text of frames) {
    response.write(text);
    await new Promise(setImmediate);
  }
  response.end(end);
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
process.stdin.once('end', () => process.exit(0)).resume();
