import { connect, type Socket } from 'node:net';

/** A connection that says just what a test says. */
export interface RawConnection {
  socket: Socket;
  /** All that has come back, once the other side has closed the connection. */
  closed: Promise<string>;
  /** Resolves as soon as something has come back. */
  answered: Promise<string>;
}

export function rawConnection(url: string, bytes: string | Buffer): RawConnection {
  const { hostname, port } = new URL(url);
  const [closed, answered] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let answer = '';
  const socket = connect(Number(port), hostname, () => socket.write(bytes));
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk;
    answered.resolve(answer);
  });
  // A connection that is closed while we still send has its answer all the same.
  socket.on('error', () => {});
  socket.once('close', () => {
    closed.resolve(answer);
    answered.resolve(answer);
  });
  return { socket, closed: closed.promise, answered: answered.promise };
}

/** Sends these bytes on a connection of their own; resolves to all that comes back. */
export const raw = (url: string, bytes: string | Buffer): Promise<string> => rawConnection(url, bytes).closed;
