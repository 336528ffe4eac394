import { expect, test } from '@jest/globals';
import { createLog, type LogLevel } from '../../lib/platform/log.ts';

function linesOf(level: LogLevel) {
  const lines: string[] = [];
  return { lines, log: createLog({ level, write: (line) => lines.push(line) }) };
}
const refused = () => new Error('poll: connect ECONNREFUSED', { cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) });

test('a warning says why something failed, without the stack traces of the error and its cause', () => {
  const { lines, log } = linesOf('info');
  log.warn('poll_failed', { error: refused() });
  expect(JSON.parse(lines.join())).toMatchObject({
    event: 'poll_failed',
    error: { name: 'Error', message: 'poll: connect ECONNREFUSED', cause: { name: 'Error', code: 'ECONNREFUSED', message: 'connect' } },
  });
  expect(lines.join()).not.toContain('log.test.ts');
});

test('a warning has the stack traces if the log is at debug level', () => {
  const { lines, log } = linesOf('debug');
  log.warn('poll_failed', { error: refused() });
  const { error } = JSON.parse(lines.join());
  expect(error.stack).toContain('log.test.ts');
  expect(error.cause.stack).toContain('log.test.ts');
});

test('an error line has the stack trace at every level, since nobody expected it', () => {
  const { lines, log } = linesOf('warn');
  log.error('request_failed', { error: refused() });
  expect(JSON.parse(lines.join()).error.stack).toContain('log.test.ts');
});

test('a warning about a mistake in the code has its stack trace', () => {
  const { lines, log } = linesOf('info');
  log.warn('delivery_failed', { error: new TypeError('x is undefined') });
  expect(JSON.parse(lines.join()).error.stack).toContain('log.test.ts');
});
