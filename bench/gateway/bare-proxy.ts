import { Agent, createServer, request as send } from 'node:http';

/** The least that a proxy in Node can do: it reads the body, sends it on over a kept connection and pipes the answer back. */
const upstream = process.argv[2] ?? '';
const agent = new Agent({ keepAlive: true });
const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const body = Buffer.concat(pieces);
    const headers = { 'content-type': 'application/json', 'content-length': body.length, authorization: 'Bearer sk-bench' };
    send(`${upstream}${request.url}`, { method: 'POST', agent, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    }).end(body);
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
process.stdin.once('end', () => process.exit(0)).resume();
